import { generateKeyPairSync, sign, X509Certificate, type KeyObject } from 'node:crypto';

/** A private CA and a certificate of it for this machine, in PEM: what `store-certs` of a device would hold (device-api.md 3.4). */
export interface PrivateCa {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

// X.690: tag, length, content. Node reads certificates and makes none, so the few parts of one are written here.
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 0x80
      ? Buffer.of(length)
      : length < 0x100
        ? Buffer.of(0x81, length)
        : Buffer.of(0x82, length >> 8, length & 0xff);
  return Buffer.concat([Buffer.of(tag), size, content]);
}
const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const TRUE = der(0x01, Buffer.of(0xff));
const ECDSA_SHA256 = sequence(oid('2a8648ce3d040302'));
const COMMON_NAME = oid('550403');
const BASIC_CONSTRAINTS = oid('551d13');
const SUBJECT_ALT_NAME = oid('551d11');

const name = (text: string): Buffer =>
  sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(text)))));
const utcTime = (at: Date): Buffer =>
  der(0x17, Buffer.from(`${at.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));

interface Subject {
  readonly serial: number;
  readonly commonName: string;
  readonly publicKey: KeyObject;
  readonly extension: Buffer;
}

/** A certificate signed by the CA's key, valid from yesterday to tomorrow. */
function certify({ serial, commonName, publicKey, extension }: Subject, caKey: KeyObject): string {
  const day = 86_400_000;
  const [from, until] = [new Date(Date.now() - day), new Date(Date.now() + day)];
  const signed = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.of(serial)),
    ECDSA_SHA256,
    name('Private CA'),
    sequence(utcTime(from), utcTime(until)),
    name(commonName),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(extension)),
  );
  const signature = der(0x03, Buffer.of(0), sign('sha256', signed, caKey));
  return new X509Certificate(sequence(signed, ECDSA_SHA256, signature)).toString();
}

/** Makes both, with keys that exist only here. */
export function makePrivateCa(): PrivateCa {
  const [own, server] = [0, 1].map(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }));
  if (!own || !server) throw new Error('internal error: two keys were made');
  const isCa = sequence(BASIC_CONSTRAINTS, TRUE, der(0x04, sequence(TRUE)));
  const here = sequence(der(0x82, Buffer.from('localhost')), der(0x87, Buffer.of(127, 0, 0, 1)));
  const forHere = sequence(SUBJECT_ALT_NAME, der(0x04, here));
  return {
    ca: certify(
      { serial: 1, commonName: 'Private CA', publicKey: own.publicKey, extension: isCa },
      own.privateKey,
    ),
    certificate: certify(
      { serial: 2, commonName: 'localhost', publicKey: server.publicKey, extension: forHere },
      own.privateKey,
    ),
    key: server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
