import type { ComponentDetails, DeltaOffer, RevisionDetails } from '#libs/database';
import { FEATURED, readPrograms } from '#libs/operations';
import { iconUrl } from '../catalogue/icon-url.js';
import { downloadUrl } from '../downloads/file-name.js';

/** Given whatever `fields` says: without these snapd refuses the result (device-api.md D26). */
const ALWAYS = new Set([
  'architectures',
  'confinement',
  'download',
  'epoch',
  'name',
  'revision',
  'snap-id',
  'type',
  'version',
]);

/** `results[].snap` (device-api.md 2.1); `fields` null asks for all. */
export function toSnap(
  details: RevisionDetails,
  fields: ReadonlySet<string> | null,
  publicUrl: string,
  delta: DeltaOffer | null = null,
): Record<string, unknown> {
  const all = allFields(details, publicUrl, delta);
  const wanted = Object.entries(all).filter(
    ([name]) => fields === null || ALWAYS.has(name) || fields.has(name),
  );
  return Object.fromEntries(wanted);
}

function allFields(
  details: RevisionDetails,
  publicUrl: string,
  delta: DeltaOffer | null,
): Record<string, unknown> {
  const { snapId, revision, publisher } = details;
  return {
    architectures: details.architectures,
    base: details.base,
    categories: details.categories.map((name) => ({ name, featured: name === FEATURED })),
    'common-ids': readPrograms(details).commonIds,
    confinement: details.confinement,
    contact: details.contact ?? '',
    'created-at': details.createdAt.toISOString(),
    description: details.description ?? '',
    download: {
      deltas: delta ? [toDelta(details, delta, publicUrl)] : [],
      'sha3-384': details.sha3384,
      size: details.sizeBytes,
      url: downloadUrl(publicUrl, { kind: 'snap', snapId, revision }),
    },
    epoch: details.epoch,
    license: details.license ?? '',
    links: toLinks(details),
    media: details.icon ? [{ type: 'icon', url: iconUrl(publicUrl, details.icon) }] : [],
    name: details.name,
    // Whoever sees a paid snap has it already, and any entry would make snapd want to buy it (S34).
    prices: {},
    private: details.isPrivate,
    publisher: {
      id: publisher.id,
      username: publisher.username,
      'display-name': publisher.displayName,
      validation: publisher.validation,
    },
    resources: details.components.map((one) => toResource(snapId, one, publicUrl)),
    revision,
    'snap-id': snapId,
    'snap-yaml': details.snapYaml,
    summary: details.summary ?? '',
    title: details.title ?? details.name,
    type: details.type,
    version: details.version,
    website: details.website ?? '',
  };
}

/** `download.deltas[]` of device-api.md 2.1. */
function toDelta(
  { snapId, revision }: RevisionDetails,
  { source, sizeBytes, sha3384 }: DeltaOffer,
  publicUrl: string,
): object {
  return {
    format: 'xdelta3',
    source,
    target: revision,
    size: sizeBytes,
    'sha3-384': sha3384,
    url: downloadUrl(publicUrl, { kind: 'delta', snapId, source, target: revision }),
  };
}

/** `resources[]` of device-api.md 2.1. */
function toResource(snapId: string, one: ComponentDetails, publicUrl: string): object {
  return {
    name: one.name,
    type: `component/${one.type}`,
    revision: one.revision,
    version: one.version ?? '',
    'created-at': new Date(one.createdAt).toISOString(),
    description: one.description ?? '',
    download: {
      deltas: [],
      'sha3-384': one.sha3384,
      size: one.sizeBytes,
      url: downloadUrl(publicUrl, { kind: 'component', snapId, ...one }),
    },
  };
}

function toLinks({ contact, website }: RevisionDetails): Record<string, string[]> {
  return { ...(contact && { contact: [contact] }), ...(website && { website: [website] }) };
}
