import type { Finding, LintContext, LintReport, Remark } from './finding.js';
import { RULES } from './rules.js';
import { readSource, type Source } from './source.js';

/** Looks at a model, draft or signed. What cannot be read gives one finding; else every rule says what it finds. */
export function lintModel(text: string, context: LintContext): LintReport {
  const kind = text.trimStart().startsWith('type:') ? 'assertion' : 'draft';
  const source = readSource(text);
  if (!('place' in source)) return { kind, model: null, findings: [source] };
  const { headers } = source;
  const findings = RULES.flatMap((rule) => rule(source, context)).map((one) => placed(one, source));
  const model = `${String(headers['brand-id'])}/${String(headers['model'])}`;
  return { kind, model, findings: findings.sort((a, b) => a.line - b.line) };
}

function placed({ path, ...remark }: Remark, source: Source): Finding {
  const [header = ''] = path;
  return { ...remark, ...source.place(path), header: header === '' ? null : String(header) };
}
