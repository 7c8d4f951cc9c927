import { randomBytes } from 'node:crypto';
import { AssertionError, checkDeviceSession, decodeAssertion, header } from '#libs/assertions';
import type { Assertion } from '#libs/assertions';
import { RANDOM_BYTES, formatNonce, hashNonce, mintDeviceSession } from '#libs/auth';
import {
  BrandStore,
  consumeNonce,
  forgetPast,
  insertNonce,
  isDeviceRevoked,
  upsertSessionDevice,
  type SessionDevice,
  type Tx,
} from '#libs/database';
import { assertionDatabaseFor } from '../installation/assertion-shelf.js';
import { findModelProblem } from '../models/model-registry.js';
import type { Resources } from '../resources.js';
import { deviceSessionKey } from './session-key.js';

const NONCE_LIFE_MS = 10 * 60 * 1000;

/** The three texts of device-api.md 2.5. */
export interface SessionOrder {
  readonly request: string;
  readonly serial: string;
  readonly model: string;
  /** The device shows its last session, valid or not: it has not been reset since (device-api.md 2.5). */
  readonly hasLastSession: boolean;
}

/** The caller answers every refusal alike; `reason` is for the log (decisions 13). */
export type SessionOutcome =
  | { readonly state: 'opened'; readonly session: string; readonly deviceUid: string }
  | { readonly state: 'refused'; readonly reason: string; readonly device: string };

interface SessionPapers {
  readonly request: Assertion;
  readonly serial: Assertion;
  readonly model: Assertion;
}

/** Nonces and sessions of devices (device-api.md 2.4, 2.5; assertions.md 13.4). */
export class DeviceSessionService {
  constructor(private readonly resources: Pick<Resources, 'db' | 'settings'>) {}

  /** A nonce that is good once, for ten minutes; only its hash is kept. */
  async issueNonce(): Promise<string> {
    const nonce = formatNonce(randomBytes(RANDOM_BYTES));
    await this.resources.db.asNobody((tx) => insertNonce(tx, hashNonce(nonce), NONCE_LIFE_MS));
    return nonce;
  }

  /**
   * Opens a session for a device that proves who it is. The nonce is used up first, in a transaction of its own, whatever
   * comes after: a second request with it never reaches a signature check (decisions 9).
   */
  async open(order: SessionOrder): Promise<SessionOutcome> {
    let papers: SessionPapers;
    try {
      papers = decodePapers(order);
    } catch (error) {
      if (!(error instanceof AssertionError)) throw error;
      return refused(error.message, 'unknown device');
    }
    const { db } = this.resources;
    const nonce = header(papers.request, 'nonce');
    const device = ['brand-id', 'model', 'serial']
      .map((name) => header(papers.serial, name))
      .join('/');
    const isFresh = await db.asNobody((tx) => consumeNonce(tx, hashNonce(nonce)));
    if (!isFresh)
      return refused('the nonce was not issued here, is used already or too old', device);
    return db.asSystem(async (tx) => {
      const reason = await this.findProblem(tx, papers, nonce);
      if (reason !== null) return refused(reason, device);
      return this.admit(tx, papers, order.hasLastSession);
    });
  }

  /** Steps 1 to 9 of assertions.md 13.4; null when nothing is wrong. Clocks of devices are not asked (D71): the nonce gives freshness. */
  private async findProblem(
    tx: Tx,
    { request, serial, model }: SessionPapers,
    issuedNonce: string,
  ): Promise<string | null> {
    const now = this.resources.db.clock.now();
    const database = await assertionDatabaseFor(tx, [model, serial]);
    const verdict = checkDeviceSession({ request, serial, model, issuedNonce, database, now });
    if (!verdict.valid) return verdict.message;
    const isRevoked = await isDeviceRevoked(tx, toDevice({ serial, model }));
    return isRevoked ? 'the device is revoked' : modelProblem(tx, model);
  }

  private async admit(
    tx: Tx,
    papers: SessionPapers,
    hasLastSession: boolean,
  ): Promise<SessionOutcome> {
    const device = toDevice(papers);
    const deviceUid = await upsertSessionDevice(tx, device);
    // snapd shows what it has; a device without begins anew, after a factory reset or for the first time (S35).
    if (!hasLastSession) await forgetPast(tx, deviceUid, this.resources.db.clock.now().getTime());
    const { brandId, model, serial, deviceKeyId } = device;
    const identity = {
      deviceUid,
      brandId,
      model,
      serial,
      storeId: device.storeId ?? '',
      deviceKeyId,
    };
    const { settings, db } = this.resources;
    const session = mintDeviceSession(identity, deviceSessionKey(settings), db.clock.now());
    return { state: 'opened', session, deviceUid };
  }
}

function decodePapers({ request, serial, model }: SessionOrder): SessionPapers {
  return {
    request: decodeAssertion(Buffer.from(request)),
    serial: decodeAssertion(Buffer.from(serial)),
    model: decodeAssertion(Buffer.from(model)),
  };
}

function toDevice({ serial, model }: Omit<SessionPapers, 'request'>): SessionDevice {
  return {
    brandId: header(serial, 'brand-id'),
    model: header(serial, 'model'),
    serial: header(serial, 'serial'),
    storeId: header(model, 'store') || null,
    deviceKeyId: header(serial, 'device-key-sha3-384'),
    serialAuthorityId: serial.authorityId ?? '',
    architecture: header(model, 'architecture') || null,
    serialAssertion: serial.bytes,
  };
}

/** The model opens a store of its own brand only, and not once it is switched off (S12, S28). */
async function modelProblem(tx: Tx, model: Assertion): Promise<string | null> {
  const brandId = header(model, 'brand-id');
  const storeId = header(model, 'store');
  if (storeId !== '' && !(await tx.existsBy(BrandStore, { id: storeId, brandId }))) {
    return `the model names store ${storeId}, which is none of its brand here`;
  }
  return findModelProblem(tx, model);
}

function refused(reason: string, device: string): SessionOutcome {
  return { state: 'refused', reason, device };
}
