import { describe, expect, it } from 'vitest';
import { isAllowedRedirect } from './redirect-uri.js';

const CONSOLE = 'https://console.acme.example/login';

describe('where a browser may come back to', () => {
  it.each([
    'http://127.0.0.1:4711/callback',
    'http://127.0.0.1/',
    'http://[::1]:8008/callback',
    CONSOLE,
  ])('%s', (text) => expect(isAllowedRedirect(text, [CONSOLE])).toBe(true));

  it.each([
    '',
    'callback',
    'https://console.acme.example',
    `${CONSOLE}/more`,
    `${CONSOLE}?more`,
    `${CONSOLE}#`,
    'https://console.acme.example.evil.example/login',
    'http://evil.example/callback',
    'https://127.0.0.1:4711/callback',
    'http://localhost:4711/callback',
    'http://127.0.0.1.evil.example/callback',
    'http://127.0.0.1:4711@evil.example/callback',
    'http://somebody@127.0.0.1:4711/callback',
    'http://127.0.0.1:4711/callback?code=x',
    'http://127.0.0.1:4711/callback#x',
    'http://127.0.0.2:4711/callback',
    'http://127.1:4711/callback',
  ])('not %s', (text) => expect(isAllowedRedirect(text, [CONSOLE])).toBe(false));
});
