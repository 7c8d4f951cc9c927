import { expect, it } from 'vitest';
import { findIcon, iconFormat } from './find-icon.js';

const PNG = Buffer.from('89504e470d0a1a0a00', 'hex');
const SVG = Buffer.from('<?xml version="1.0"?><svg/>');

const iconOf = (files: Record<string, Buffer>) => findIcon(new Map(Object.entries(files)));

it('takes a png before an svg', () => {
  expect(iconOf({ 'meta/gui/icon.svg': SVG })).toEqual({ format: 'svg', bytes: SVG });
  expect(iconOf({ 'meta/gui/icon.svg': SVG, 'meta/gui/icon.png': PNG })?.format).toBe('png');
});

it('takes none that is not what its name says', () => {
  expect(iconOf({})).toBeNull();
  expect(iconOf({ 'meta/gui/icon.png': SVG, 'meta/gui/icon.svg': PNG })).toBeNull();
  expect(iconOf({ 'meta/gui/icon.png': Buffer.alloc(0) })).toBeNull();
  expect(iconOf({ 'icon.svg': SVG })).toBeNull();
});

it('D66 takes none that is empty or larger than 300000 bytes', () => {
  const large = (bytes: number): Buffer => Buffer.concat([SVG, Buffer.alloc(bytes - SVG.length)]);
  expect(iconOf({ 'meta/gui/icon.svg': large(300_000) })?.bytes.length).toBe(300_000);
  expect(iconOf({ 'meta/gui/icon.svg': large(300_001) })).toBeNull();
  expect(iconOf({ 'meta/gui/icon.svg': Buffer.alloc(0) })).toBeNull();
  // Nor one that a publisher uploads beside the snap.
  expect([large(300_000), large(300_001), Buffer.alloc(0)].map(iconFormat)).toEqual([
    'svg',
    null,
    null,
  ]);
});
