import { expect, it } from 'vitest';
import { requireSignable } from './key-purpose.js';

const EVENT = '{"id":"3f0c1f4e-2a11-4b6e-9d57-0d9e0c1b2a34","kind":"revoked","brand-id":"acme"}';
const QUESTION = EVENT.replace('revoked', 'models');

it('lets a serial key sign serials, proofs of itself, vault events and questions', () => {
  for (const content of ['type: serial\n', 'type: account-key-request\n', EVENT, QUESTION])
    expect(() => requireSignable('serial', Buffer.from(content))).not.toThrow();
});

it('lets a serial key sign no model, no other JSON, and keeps other keys from vault events', () => {
  for (const content of ['type: model\n', '{"id":"x"}', EVENT.replace('revoked', 'approved'), ''])
    expect(() => requireSignable('serial', Buffer.from(content))).toThrow(
      expect.objectContaining({ code: 'purpose' }),
    );
  expect(() => requireSignable('model', Buffer.from(EVENT))).toThrow('cannot sign');
});
