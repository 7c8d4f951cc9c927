import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  ConfigError,
  flag,
  httpUrl,
  port,
  postgresUrl,
  readConfig,
  wholeNumber,
} from './config.js';

const schema = {
  config: z.object({
    PORT: port(),
    PUBLIC_URL: httpUrl(),
    WINDOW: wholeNumber(1, 60).default(5),
    LOUD: flag().default(false),
  }),
  secrets: z.object({ DATABASE_URL: postgresUrl(), TOKEN: z.string().min(8).optional() }),
};
const good = {
  PORT: '8080',
  PUBLIC_URL: 'https://store.example/',
  DATABASE_URL: 'postgres://u:geheim@h/d',
};

describe('reading the environment', () => {
  it('gives typed values, with defaults, and takes an empty value for none', () => {
    const { config, secrets } = readConfig(schema, {
      ...good,
      WINDOW: '',
      LOUD: 'yes',
      OTHER: 'x',
    });
    expect(config).toEqual({
      PORT: 8080,
      PUBLIC_URL: 'https://store.example',
      WINDOW: 5,
      LOUD: true,
    });
    expect(secrets.DATABASE_URL.reveal()).toBe('postgres://u:geheim@h/d');
  });

  it('lists every problem at once, and no value', () => {
    const env = {
      PORT: '99999',
      PUBLIC_URL: 'ftp://x',
      WINDOW: '61',
      LOUD: 'maybe',
      TOKEN: 'geheim',
    };
    const error = (() => {
      try {
        return readConfig(schema, env);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).problems).toEqual([
      'PORT: must be at most 65535',
      'PUBLIC_URL: must be an http(s) URL',
      'WINDOW: must be between 1 and 60',
      'LOUD: must be true or false',
      'DATABASE_URL is not set',
      expect.stringMatching(/^TOKEN: /),
    ]);
    expect((error as ConfigError).message).not.toContain('geheim');
  });

  it('keeps secrets out of every kind of print', () => {
    const settings = readConfig(schema, good);
    const prints = [
      JSON.stringify(settings),
      inspect(settings, { depth: 9 }),
      `${String(settings.secrets.DATABASE_URL)}`,
    ];
    for (const print of prints) {
      expect(print).not.toContain('geheim');
      expect(print).toContain('[secret]');
    }
  });
});
