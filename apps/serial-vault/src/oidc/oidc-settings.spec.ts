import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '#libs/runtime';
import { vaultConfig } from '../config.js';
import { readOidcSettings, type OidcSettings } from './oidc-settings.js';

const dir = mkdtempSync(join(tmpdir(), 'oidc-'));
const file = join(dir, 'client');
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const VAULT = {
  PORT: '0',
  PUBLIC_URL: 'https://vault.acme.example',
  SECRET_FILE: file,
  DATABASE_URL: 'postgres://h/d',
};
const PROVIDER = { OIDC_ISSUER: 'https://login.acme.example/acme/', OIDC_CLIENT_ID: 'vault' };

const read = (env: Record<string, string>): Promise<OidcSettings | null> => {
  const { config, secrets } = readConfig(vaultConfig, { ...VAULT, ...env });
  return readOidcSettings(config, secrets);
};
const problemsOf = (env: Record<string, string>): readonly string[] => {
  try {
    readConfig(vaultConfig, { ...VAULT, ...env });
    return [];
  } catch (error) {
    return error instanceof ConfigError ? error.problems : [String(error)];
  }
};

describe('the provider in the environment', () => {
  it('is none, or as it names itself, with what the vault needs of it', async () => {
    expect(await read({})).toBeNull();
    const issuer = PROVIDER.OIDC_ISSUER;
    const open = { issuer, clientId: 'vault', clientSecret: null, redirectUris: [] };
    expect(await read(PROVIDER)).toEqual({ ...open, secondFactors: ['mfa'] });
    const more = { OIDC_REDIRECT_URIS: 'https://a.example/in, https://b.example/in' };
    const means = { OIDC_SECOND_FACTORS: 'otp,hwk', OIDC_CLIENT_SECRET: 's' };
    expect(await read({ ...PROVIDER, ...more, ...means })).toEqual({
      ...open,
      clientSecret: 's',
      redirectUris: ['https://a.example/in', 'https://b.example/in'],
      secondFactors: ['otp', 'hwk'],
    });
  });

  it('has its secret in a file, where there is one', async () => {
    writeFileSync(file, 'from a file\n');
    const settings = await read({ ...PROVIDER, OIDC_CLIENT_SECRET_FILE: file });
    expect(settings?.clientSecret).toBe('from a file');
    writeFileSync(file, '\n');
    await expect(read({ ...PROVIDER, OIDC_CLIENT_SECRET_FILE: file })).rejects.toThrow(
      'it holds no client secret',
    );
  });

  it('is refused with every problem at once: clear text, half of it, two secrets', () => {
    expect(problemsOf({ OIDC_ISSUER: 'http://login.acme.example' })).toEqual([
      'OIDC_ISSUER: must be an https:// URL without query',
      'OIDC_CLIENT_ID is not set',
    ]);
    expect(problemsOf({ ...PROVIDER, OIDC_ISSUER: 'https://login.acme.example' })).toEqual([]);
    expect(problemsOf({ ...PROVIDER, OIDC_ISSUER: 'http://127.0.0.1:8080' })).toEqual([]);
    const secrets = { OIDC_CLIENT_SECRET: 'geheim', OIDC_CLIENT_SECRET_FILE: file };
    const redirects = { OIDC_REDIRECT_URIS: 'https://a.example/in,https://b.example' };
    const problems = problemsOf({ ...PROVIDER, ...secrets, ...redirects });
    expect(problems).toEqual([
      'OIDC_REDIRECT_URIS: must be https:// URLs with path and without query, by commas',
      'OIDC_CLIENT_SECRET: must not be set beside OIDC_CLIENT_SECRET_FILE',
    ]);
    expect(problems.join()).not.toContain('geheim');
  });
});
