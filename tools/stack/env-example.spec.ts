import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { httpUrl, postgresUrl, processConfig, readConfig, redisUrl } from '#libs/runtime';
import { projectRoot } from './paths.js';

const text = readFileSync(join(projectRoot, '.env.example'), 'utf8');
const example = parseEnv(text.replaceAll(/^# ([A-Z0-9_]+=)/gm, '$1')) as Record<string, string>;

describe('.env.example', () => {
  it('holds values that are accepted when they are taken as they stand', () => {
    const urls = z.object({
      DATABASE_URL: postgresUrl(),
      REDIS_URL: redisUrl(),
      S3_ENDPOINT: httpUrl(),
      S3_PUBLIC_ENDPOINT: httpUrl(),
      PUBLIC_URL: httpUrl(),
      VAULT_URL: httpUrl(),
      STORE_URL: httpUrl(),
    });
    const { config } = readConfig(
      { config: processConfig.extend(urls.shape), secrets: z.object({}) },
      example,
    );
    expect(config).toMatchObject({ HOST: '127.0.0.1', METRICS_PORT: 9090, LOG_LEVEL: 'info' });
  });

  it('sets nothing as long as nobody takes the comments away', () => {
    expect(parseEnv(text)).toEqual({});
  });

  it('names all that ARCHITECTURE.md says the processes read', () => {
    const page = readFileSync(join(projectRoot, 'ARCHITECTURE.md'), 'utf8');
    const section =
      page.split(/^## /m).find((part) => part.startsWith('Environment of the processes')) ?? '';
    const names = [...section.matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => name !== undefined && !(name in example))).toEqual([]);
  });
});
