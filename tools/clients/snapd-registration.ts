import {
  AssertionDatabase,
  decodeAssertions,
  header,
  MemoryStore,
  signAssertion,
  type Assertion,
  type Signer,
} from '#libs/assertions';
import { ask, type Answer } from './http.js';

/** serial-vault.md 3: seconds between tries within a change, and how often call 1 is tried again. */
const POLL_SECONDS = 60;
const MOST_RETRIES = 15;
/** The pause after a failed change begins so, doubles, and beyond twelve hours is a day. */
const FIRST_PAUSE_SECONDS = 300;
const LONGEST_PAUSE_SECONDS = 43_200;
const DAY_SECONDS = 86_400;

/** What the gadget has set when the change begins. */
export interface GadgetConfig {
  /** `device-service.url`. */
  readonly url: string;
  /** `device-service.headers`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly proposedSerial: string;
}

export interface SnapdOptions {
  readonly model: Assertion;
  /** Root account and root account-key. */
  readonly trusted: readonly Assertion[];
  /** What the image brought besides; left out: nothing. */
  readonly seeded?: readonly Assertion[];
  /** The hook `prepare-device`: runs at the beginning of every change. */
  readonly prepareDevice: () => GadgetConfig;
  /** `generate-device-key`: asked only when there is no key yet. */
  readonly makeKey: () => Signer;
  /** Lets so many seconds pass for everybody. */
  readonly pass: (seconds: number) => Promise<void>;
}

/** One call on the wire, and when it was made, in seconds since the device was switched on. */
export interface WireCall {
  readonly at: number;
  readonly call: 'request-id' | 'serial';
  readonly status: number;
  /** For `serial`: with which request-id. */
  readonly requestId: string;
}

class ChangeFailed extends Error {}

/**
 * The registration of snapd's device manager, with time passed on by the caller (serial-vault.md 2 and 3): the change
 * `become-operational`, its tries, what it shows to the user, and the pause before the next one.
 */
export class SnapdRegistration {
  readonly calls: WireCall[] = [];
  /** What `snap tasks` shows of failed changes. */
  readonly shown: string[] = [];
  /** How often `prepare-device` ran. */
  prepared = 0;
  serial: Assertion | undefined;
  key: Signer | undefined;
  /** Seconds since the device was switched on. */
  now = 0;

  constructor(private readonly options: SnapdOptions) {}

  /** Changes until one is done, at most so many. Returns whether the device has its serial. */
  async run(mostChanges = 1): Promise<boolean> {
    let pause = FIRST_PAUSE_SECONDS;
    for (let change = 1; change <= mostChanges; change++) {
      if (await this.change()) return true;
      if (change === mostChanges) break;
      await this.pass(pause);
      pause = pause * 2 > LONGEST_PAUSE_SECONDS ? DAY_SECONDS : pause * 2;
    }
    return false;
  }

  private async change(): Promise<boolean> {
    try {
      const gadget = this.options.prepareDevice();
      this.prepared += 1;
      this.key ??= this.options.makeKey();
      // What the save partition brought back is found in the assertion database (2.1, 2.7).
      this.serial ??= await this.requestSerial(gadget, this.key);
      return true;
    } catch (error) {
      if (!(error instanceof ChangeFailed)) throw error;
      this.shown.push(error.message);
      return false;
    }
  }

  private async requestSerial(gadget: GadgetConfig, key: Signer): Promise<Assertion> {
    for (;;) {
      const request = await this.prepare(gadget, key);
      for (;;) {
        const answer = await this.post(gadget, 'serial', request);
        if (answer.status === 200 || answer.status === 201) return this.take(answer, key);
        if (answer.status === 202) await this.pass(POLL_SECONDS);
        else if (answer.status > 500) break;
        else throw new ChangeFailed(`cannot deliver device serial request: ${shownOf(answer)}`);
      }
      await this.pass(POLL_SECONDS);
    }
  }

  /** Call 1, and the serial-request that stays the same for as long as the answer is 202. */
  private async prepare(gadget: GadgetConfig, key: Signer): Promise<Assertion> {
    for (let retries = 0; ; retries++) {
      const answer = await this.post(gadget, 'request-id', undefined);
      if (answer.status === 200) {
        const { model } = this.options;
        const headers = {
          'brand-id': header(model, 'brand-id'),
          model: header(model, 'model'),
          'request-id': answer.json<{ 'request-id': string }>()['request-id'],
          'device-key': key.publicKey.encoded,
          ...(gadget.proposedSerial && { serial: gadget.proposedSerial }),
        };
        return signAssertion({ type: 'serial-request', headers }, key, new Date());
      }
      if (answer.status <= 500 || retries >= MOST_RETRIES)
        throw new ChangeFailed(
          `cannot retrieve request-id for making a request for a serial: ${shownOf(answer)}`,
        );
      await this.pass(POLL_SECONDS);
    }
  }

  private async post(
    { url, headers }: GadgetConfig,
    call: WireCall['call'],
    request: Assertion | undefined,
  ): Promise<Answer> {
    const body = request && `${request.bytes.toString()}\n${this.options.model.bytes.toString()}`;
    const kind = body && {
      'content-type': 'application/x.ubuntu.assertion',
      'snap-device-capabilities': 'serial-stream',
    };
    const answer = await ask(`${url.endsWith('/') ? url : `${url}/`}${call}`, {
      method: 'POST',
      headers: { 'user-agent': 'snapd/2.77', ...kind, ...headers },
      ...(body !== undefined && { body }),
    });
    const requestId = request ? header(request, 'request-id') : '';
    this.calls.push({ at: this.now, call, status: answer.status, requestId });
    return answer;
  }

  /** One batch: prerequisites in any order, exactly one serial, all of it leading to the root (2.5, 2.6). */
  private take(answer: Answer, key: Signer): Assertion {
    const stream = decodeAssertions(Buffer.from(answer.text));
    const serials = stream.filter(({ type }) => type === 'serial');
    const [serial] = serials;
    if (serial === undefined || serials.length > 1)
      throw new ChangeFailed(`cannot use ${serials.length} serial assertions`);
    const { trusted, seeded = [] } = this.options;
    const store = new MemoryStore([...seeded]);
    const database = new AssertionDatabase({ trusted: [...trusted], store });
    const verdict = database.addBatch(stream, new Date());
    if (!verdict.valid) throw new ChangeFailed(`cannot add the serial: ${verdict.message}`);
    const { model } = this.options;
    const isOurs =
      header(serial, 'brand-id') === header(model, 'brand-id') &&
      header(serial, 'model') === header(model, 'model') &&
      header(serial, 'device-key-sha3-384') === key.publicKey.id;
    if (!isOurs) throw new ChangeFailed('obtained serial assertion does not match the request');
    return serial;
  }

  private async pass(seconds: number): Promise<void> {
    this.now += seconds;
    await this.options.pass(seconds);
  }
}

/** What snapd shows of a refusal: the message, only where the type is byte for byte the one that it looks for (3). */
export function shownOf(answer: Pick<Answer, 'status' | 'headers' | 'json'>): string {
  const unexpected = `unexpected status ${answer.status}`;
  if (answer.headers.get('content-type') !== 'application/json') return unexpected;
  const { message, error_list: list } = answer.json<{
    message?: string;
    error_list?: readonly { message?: string }[];
  }>();
  const text = message ?? list?.[0]?.message;
  return text === undefined ? unexpected : `${unexpected}: ${text}`;
}
