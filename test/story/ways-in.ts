import { signAssertion } from '#libs/assertions';
import { ScriptedDevice } from '../../tools/clients/device.js';
import { ask, type Answer } from '../../tools/clients/http.js';
import { known, type Story } from '../../tools/demo/story/index.js';

/** A snap as somebody may know it who should not have it. */
export interface Wanted {
  readonly name: string;
  readonly id: string;
  /** SHA3-384 of revision 1, hex. */
  readonly digest: string;
}

const WAYS = [
  'install',
  'download',
  'refresh',
  'refresh to revision 1',
  'download link',
  'HEAD of the link',
  'snap-declaration',
  'snap-revision',
  'info',
  'find',
  'names',
] as const;
type Ways = Record<(typeof WAYS)[number], { readonly status: number; readonly text: string }>;

/** All ways by which a device asks a store for a snap, and what each says, with the snap's own words blotted out (decisions 13). */
export async function waysTo(device: ScriptedDevice, wanted: Wanted): Promise<Ways> {
  const { name, id } = wanted;
  const { storeUrl } = device.options;
  const digest = Buffer.from(wanted.digest, 'hex').toString('base64url');
  const named = { 'instance-key': 'one', name, channel: 'latest/stable', epoch: null };
  const installed = { 'instance-key': id, 'snap-id': id };
  const has = session(device, device.session);
  has.installed.set(id, { snapId: id, name, revision: 1, channel: 'latest/stable' });
  const headers = device.session
    ? {
        'snap-device-authorization': `Macaroon root="${device.session}"`,
        'x-device-authorization': `Macaroon root="${device.session}"`,
      }
    : undefined;
  const get = (path: string, method = 'GET'): Promise<Answer> =>
    ask(`${storeUrl}${path}`, { method, ...(headers && { headers }) });
  const link = `/api/v1/snaps/download/${id}_1.snap`;
  const said: Record<keyof Ways, Answer> = {
    install: await device.refresh([{ action: 'install', ...named }]),
    download: await device.refresh([{ action: 'download', ...named }]),
    refresh: await has.refresh([{ action: 'refresh', ...installed, channel: 'latest/stable' }]),
    'refresh to revision 1': await has.refresh([{ action: 'refresh', ...installed, revision: 1 }]),
    'download link': await get(link),
    'HEAD of the link': await get(link, 'HEAD'),
    'snap-declaration': await device.assertion(`snap-declaration/16/${id}`),
    'snap-revision': await device.assertion(`snap-revision/${digest}`),
    info: await get(`/v2/snaps/info/${name}?fields=download,revision`),
    find: await get(`/v2/snaps/find?q=${name}`),
    names: await get('/api/v1/snaps/names'),
  };
  const blot = (text: string): string =>
    text.replaceAll(name, '<name>').replaceAll(id, '<id>').replaceAll(digest, '<digest>');
  const entries = WAYS.map(
    (way) => [way, { status: said[way].status, text: blot(said[way].text) }] as const,
  );
  return Object.fromEntries(entries) as Ways;
}

/** The same device with this session, or none; nothing installed. */
export function session(device: ScriptedDevice, macaroon = ''): ScriptedDevice {
  const copy = new ScriptedDevice(device.options);
  copy.serial = device.serial;
  copy.session = macaroon;
  return copy;
}

/** A device of the brand whose serial another account signed, one that the model lists: good for a session, not for protected snaps. */
export async function factorySerialDevice(
  story: Story,
  device: ScriptedDevice,
  { brandId: authority, signer }: NonNullable<Story['stranger']>,
): Promise<ScriptedDevice> {
  const { format: _format, ...headers } = device.options.model.headers;
  const brandId = known(story.brandId, 'the brand');
  const model = await signAssertion(
    {
      type: 'model',
      headers: { ...headers, model: 'acme-device-2', 'serial-authority': [authority] },
    },
    story.keys.acme,
    new Date(),
  );
  const { publicKey } = device.signer;
  const serial = await signAssertion(
    {
      type: 'serial',
      headers: {
        'authority-id': authority,
        'brand-id': brandId,
        model: 'acme-device-2',
        serial: 'GENERIC-1',
        'device-key': publicKey.encoded,
        'device-key-sha3-384': publicKey.id,
        timestamp: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
      },
    },
    signer,
    new Date(),
  );
  const generic = new ScriptedDevice({ ...device.options, model });
  generic.serial = serial;
  return generic;
}
