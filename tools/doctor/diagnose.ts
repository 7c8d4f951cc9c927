import { findXdelta3 } from '#libs/operations';

/** What this machine has, or lacks, for running a store. */
export interface Finding {
  readonly what: string;
  readonly isThere: boolean;
  /** A store runs without it. */
  readonly isOptional: boolean;
  /** Where it is, or what is missing without it and what helps. */
  readonly detail: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Looks, and starts nothing. */
export function diagnose(env: Environment, nodeVersion = process.versions.node): Finding[] {
  return [node(nodeVersion), postgres(env), jobs(env), blobs(env), deltas(env)];
}

function node(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isThere = major > 20 || (major === 20 && minor >= 19);
  const detail = isThere ? version : `${version} is too old: install 20.19 or newer`;
  return { what: 'Node', isThere, isOptional: false, detail };
}

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : 'an address');

/** There is always one: that of an npm package, where none is given. */
function postgres({ DATABASE_URL: url }: Environment): Finding {
  const detail = url ? `given, at ${hostOf(url)}` : 'none given: npm start brings its own';
  return { what: 'Postgres', isThere: true, isOptional: false, detail };
}

function jobs({ REDIS_URL: url }: Environment): Finding {
  const detail = url
    ? `given, at ${hostOf(url)}`
    : 'none: jobs run in Postgres, some hundred a second. Set REDIS_URL for more';
  return { what: 'Redis', isThere: Boolean(url), isOptional: true, detail };
}

function blobs({ S3_ENDPOINT: url }: Environment): Finding {
  const detail = url
    ? `given, at ${hostOf(url)}`
    : 'none: snaps lie in files, and the store sends them itself. Set S3_ENDPOINT and its like for more';
  return { what: 'S3', isThere: Boolean(url), isOptional: true, detail };
}

/** decisions 32. */
function deltas({ XDELTA3: given, PATH: path }: Environment): Finding {
  const program = given ?? findXdelta3(path);
  const detail =
    program ??
    'not on PATH: no deltas are made, devices download whole snaps. One line helps: apt-get install xdelta3';
  return { what: 'xdelta3', isThere: program !== undefined, isOptional: true, detail };
}
