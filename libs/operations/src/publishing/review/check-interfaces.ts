import type { Problem } from './problem.js';
import { ReviewProblem } from './problem.js';
import { asMap, textsOf } from './yaml-map.js';
import type { YamlMap } from './yaml-map.js';

/** Plugs that snapd's base declaration lets nobody install without a snap-declaration saying so. */
const SUPER_PRIVILEGED: ReadonlySet<string> = new Set([
  'acrn-support',
  'block-devices',
  'classic-support',
  'desktop-launch',
  'dm-crypt',
  'docker-support',
  'gpio-control',
  'greengrass-support',
  'kernel-module-control',
  'kernel-module-load',
  'kubernetes-support',
  'lxd-support',
  'microstack-support',
  'mount-control',
  'multipass-support',
  'nomad-support',
  'nvidia-drivers-support',
  'packagekit-control',
  'personal-files',
  'pkcs11',
  'polkit',
  'qualcomm-ipc-router',
  'sd-control',
  'snap-interfaces-requests-control',
  'snap-refresh-control',
  'snap-themes-control',
  'snapd-control',
  'steam-support',
  'system-files',
  'tee',
  'uinput',
  'unity8',
  'xilinx-dma',
]);

const CODE = 'bad-plugs';

/** One reason for a person to look, per plug of an interface that gives a snap more than a sandbox holds. */
export function listPrivilegedPlugs(yaml: YamlMap): readonly Problem[] {
  const declared = interfacesOf(yaml);
  const used = [...sectionsOf(yaml, 'apps'), ...sectionsOf(yaml, 'hooks')].flatMap((section) =>
    textsOf(section, 'plugs', CODE).map((plug) => declared.get(plug) ?? plug),
  );
  return [...new Set([...declared.values(), ...used])]
    .filter((name) => SUPER_PRIVILEGED.has(name))
    .map((name) => ({ code: 'human-review', message: `needs a reviewer: it plugs ${name}` }));
}

/** Top-level plugs: `name:` alone, `name: interface`, or a map with `interface`. */
function interfacesOf(yaml: YamlMap): Map<string, string> {
  const value = yaml.get('plugs');
  if (value === undefined || value === '') return new Map();
  const plugs = asMap(value);
  if (!plugs) throw new ReviewProblem(CODE, `'plugs' is not a map`);
  return new Map(
    [...plugs].map(([name, plug]) => {
      const given = typeof plug === 'string' ? plug : asMap(plug)?.get('interface');
      return [name, typeof given === 'string' && given !== '' ? given : name];
    }),
  );
}

function sectionsOf(yaml: YamlMap, key: string): readonly YamlMap[] {
  return [...(asMap(yaml.get(key))?.values() ?? [])].map(asMap).filter((map) => map !== undefined);
}
