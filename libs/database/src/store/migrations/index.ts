import type { MigrationInterface } from 'typeorm';
import { Catalogue1763740600000 } from './1763740600000-catalogue.js';
import { First1763700000000 } from './1763700000000-first.js';
import { DeviceSerials1763719200000 } from './1763719200000-device-serials.js';
import { SecondFactor1763722800000 } from './1763722800000-second-factor.js';
import { Stores1763733600000 } from './1763733600000-stores.js';
import { WaveClocks1763726400000 } from './1763726400000-wave-clocks.js';
import { BrandEvents1763730000000 } from './1763730000000-brand-events.js';
import { PolicyFeed1763735000000 } from './1763735000000-policy-feed.js';
import { Grants1763736000000 } from './1763736000000-grants.js';
import { RolloutRules1763737000000 } from './1763737000000-rollout-rules.js';
import { PolicyOverlay1763737200000 } from './1763737200000-policy-overlay.js';
import { StorelessDevices1763737800000 } from './1763737800000-storeless-devices.js';
import { RetiredKeys1763738500000 } from './1763738500000-retired-keys.js';
import { Webhooks1763738600000 } from './1763738600000-webhooks.js';
import { InactiveModels1763739000000 } from './1763739000000-inactive-models.js';
import { ForeignRoots1763740100000 } from './1763740100000-foreign-roots.js';
import { Components1763741000000 } from './1763741000000-components.js';
import { Progressive1763744000000 } from './1763744000000-progressive.js';
import { Publishing1763744100000 } from './1763744100000-publishing.js';
import { Deltas1763741500000 } from './1763741500000-deltas.js';
import { Signals1764200000000 } from './1764200000000-signals.js';
import { DeviceSerialAssertions1763742900000 } from './1763742900000-device-serial-assertions.js';
import { DeviceMoves1764100000100 } from './1764100000100-device-moves.js';
import { Decisions1764300000100 } from './1764300000100-decisions.js';
import { Previews1764300000200 } from './1764300000200-previews.js';

/** In the order in which they run. */ import { RefusedBytes1764000000000 } from './1764000000000-refused-bytes.js';

export const storeMigrations: (new () => MigrationInterface)[] = [
  First1763700000000,
  DeviceSerials1763719200000,
  SecondFactor1763722800000,
  WaveClocks1763726400000,
  BrandEvents1763730000000,
  Stores1763733600000,
  PolicyFeed1763735000000,
  Grants1763736000000,
  RolloutRules1763737000000,
  PolicyOverlay1763737200000,
  StorelessDevices1763737800000,
  RetiredKeys1763738500000,
  Webhooks1763738600000,
  InactiveModels1763739000000,
  ForeignRoots1763740100000,
  Catalogue1763740600000,
  Components1763741000000,
  Deltas1763741500000,
  DeviceSerialAssertions1763742900000,
  Progressive1763744000000,
  Publishing1763744100000,
  Signals1764200000000,
  DeviceMoves1764100000100,
  Decisions1764300000100,
  Previews1764300000200,
  RefusedBytes1764000000000,
];
