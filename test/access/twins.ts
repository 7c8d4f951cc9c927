import { performance } from 'node:perf_hooks';
import { ask, type Answer } from '../../tools/clients/http.js';
import { SURFACES, type Template } from './request.js';
import { nothing, type Things } from './things.js';
import type { Side, World } from './side.js';

/** One time for a thing of the other brand, and one for what is not there. */
export type Pair = readonly [foreignMs: number, missingMs: number];

interface Sent {
  readonly answer: Answer;
  readonly ms: number;
  /** Path and body, as they went out. */
  readonly text: string;
}

/** Who asks, and with which of their logins. */
export interface Asker {
  readonly side: Side;
  readonly other: Side;
  /** 0 to 1. */
  readonly dice: number;
}

/** What differs between any two answers. */
const VOLATILE = new Set(['date', 'connection', 'keep-alive', 'x-request-id']);
const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
/** A field that answers neither an error nor a refusal. */
const DONE = /"result":\{"__typename":"(?!Invalid|Forbidden|NotFound|Conflict)/;
/** Secrets of second factors and instants, which are new each time. */
const FRESH = [UUID, /\b[A-Z2-7]{32}\b/g, /\d{4}-\d\d-\d\dT[0-9:.]+Z/g];

/** Asks in the name of a brand for what is the other's and for what is nobody's, and remembers what was not the same. */
export class Twins {
  /** Name of a template → what was wrong. */
  readonly wrong = new Map<string, string>();
  readonly times = new Map<Template, Pair[]>();
  readonly shown = new Map<string, number>();
  sent = 0;

  constructor(private readonly world: World) {}

  /** What is one's own is shown, so that the search for the other's words is known to find words. */
  async askForOwn(template: Template, asker: Asker): Promise<void> {
    const { side } = asker;
    const { answer, text } = await this.send(template, asker, side.things);
    this.look(template, asker, answer, text);
    if (answer.status === 400) this.say(template, `own things: ${answer.text}`);
    if (!answer.text.includes(side.things.word)) return;
    this.shown.set(template.by, (this.shown.get(template.by) ?? 0) + 1);
  }

  async askForBoth(template: Template, asker: Asker, isForeignFirst: boolean): Promise<void> {
    const theirs = asker.other.things;
    const nobodys = nothing();
    const answers = new Map<Things, Sent>();
    const order = isForeignFirst ? [theirs, nobodys] : [nobodys, theirs];
    for (const named of template.isShared ? [theirs] : order) {
      const sent = await this.send(template, asker, named);
      this.look(template, asker, sent.answer, sent.text);
      answers.set(named, sent);
    }
    const [foreign, missing] = [answers.get(theirs), answers.get(nobodys)];
    if (foreign === undefined || missing === undefined) return;
    const [one, two] = [shape(foreign.answer, theirs), shape(missing.answer, nobodys)];
    if (one !== two) this.say(template, `${one}\n--- but of nothing\n${two}`);
    const pairs = this.times.get(template) ?? [];
    this.times.set(template, [...pairs, [foreign.ms, missing.ms]]);
  }

  private async send(template: Template, { side, dice }: Asker, named: Things): Promise<Sent> {
    const { app, as } = SURFACES[template.by];
    const login = as[Math.floor(dice * as.length)] ?? as[0];
    const who = await side.headersOf(login);
    const { path, method, headers, body } = await template.make({
      named,
      own: side,
      world: this.world,
    });
    const began = performance.now();
    const answer = await ask(this.world.urls[app] + path, {
      method,
      headers: { ...who, ...headers },
      ...(body !== undefined && { body }),
    });
    this.sent += 1;
    return { answer, ms: performance.now() - began, text: `${path}\n${body ?? ''}` };
  }

  /** Nothing of the other but what was said, nothing done; no document that asks nothing; nothing that was not foreseen. */
  private look(template: Template, { other }: Asker, answer: Answer, sent: string): void {
    const text = [...answer.headers].flat().join('\n') + answer.text;
    const unsaid = Object.values(other.things).filter((value) => !sent.includes(value));
    const leak = unsaid.find((value) => text.includes(value));
    if (leak !== undefined) {
      const at = text.indexOf(leak);
      this.say(template, `shows ${leak}: ${text.slice(Math.max(0, at - 400), at + 200)}`);
    }
    const isDone = template.acts && template.by !== 'doors' && DONE.test(answer.text);
    if (isDone) this.say(template, `it was done: ${answer.text}`);
    if (/"code":"(bad-request|internal)"/.test(answer.text) || answer.status >= 500)
      this.say(template, `${answer.status} ${answer.text} to ${sent}`);
  }

  private say(template: Template, what: string): void {
    this.wrong.set(`${template.by}: ${template.name}`, what.slice(0, 1_200));
  }
}

/** Status, headers and body, without the values that the request itself brought, and without ids and times. */
function shape({ status, headers, text }: Answer, things: Things): string {
  const named = [...headers].filter(([name]) => !VOLATILE.has(name)).map((pair) => pair.join(': '));
  const whole = [String(status), ...named.sort(), text].join('\n');
  const blank = Object.values(things)
    .sort((a, b) => b.length - a.length)
    .reduce((so, value) => so.replaceAll(value, '…'), whole);
  return FRESH.reduce((so, pattern) => so.replace(pattern, '#'), blank);
}
