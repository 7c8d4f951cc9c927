import { expect, it } from 'vitest';
import { readDeviceHeaders } from './device-headers.js';

const meaning = {
  authorization: 'Macaroon root="s"',
  storeId: 'acme-gateways',
  series: '16',
  architecture: 'arm64',
  isClassic: false,
};

it('D7 reads both dialects of device-api.md 0.3 to the same meaning', () => {
  const newer = {
    'snap-device-authorization': 'Macaroon root="s"',
    'snap-device-store': 'acme-gateways',
    'snap-device-series': '16',
    'snap-device-architecture': 'arm64',
    'snap-classic': 'false',
  };
  const older = {
    'x-device-authorization': 'Macaroon root="s"',
    'x-ubuntu-store': 'acme-gateways',
    'x-ubuntu-series': '16',
    'x-ubuntu-architecture': 'arm64',
    'x-ubuntu-classic': 'false',
  };
  expect(readDeviceHeaders(newer)).toEqual(meaning);
  expect(readDeviceHeaders(older)).toEqual(meaning);
  expect(readDeviceHeaders({ ...older, 'snap-device-store': 'other' }).storeId).toBe('other');
});

it('leaves out what is absent or empty', () => {
  expect(readDeviceHeaders({ 'x-ubuntu-store': ' ', 'snap-classic': 'true' })).toEqual({
    isClassic: true,
  });
});
