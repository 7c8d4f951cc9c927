/** What a gadget must know to register devices of a model. */
export interface HookOrder {
  readonly model: string;
  /** Base URL of the vault, without a trailing slash. */
  readonly vaultUrl: string;
  /** Where the hook reads the API key from; null: the model needs none. */
  readonly apiKeyFile: string | null;
  /** Where it reads the serial from. */
  readonly serialFile: string;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const ADVICE = `#
# The API key is a batch marker, no proof of origin, and whoever can download this gadget can read it. So:
# - keep the gadget private or protected in the brand's store, so that only its devices and image builders get it;
# - keep the key out of the source: put its file into the snap when it is built, or onto the device in the factory;
# - limit the key at the vault by address ranges and a quota, and enrol by production orders;
# - to change it, make a second key, ship a gadget with it, and end the first when nobody uses it any more.
`;

/**
 * The \`prepare-device\` hook (serial-vault.md 2.2): a shell script for \`meta/hooks/prepare-device\`, made executable. snapd
 * runs it again after each failed attempt, so it sets everything anew.
 */
export function prepareDeviceHook({ model, vaultUrl, apiKeyFile, serialFile }: HookOrder): string {
  return `#!/bin/sh
# prepare-device of model ${model}: where this device registers, and as what.
${apiKeyFile === null ? '' : ADVICE}set -eu

serial_file=${expanded(serialFile)}
serial=$(tr -d '[:space:]' < "$serial_file")
if [ -z "$serial" ]; then
  echo "cannot register: $serial_file holds no serial" >&2
  exit 1
fi
${apiKeyFile === null ? '' : apiKeyLines(apiKeyFile)}
# What a former attempt left would be read as text (serial-vault.md 9.3).
snapctl unset registration.body
snapctl set device-service.url=${quoted(`${vaultUrl}/v1/`)}
# -s: a serial of digits must stay a text, or snapd fails before it asks.
snapctl set -s registration.proposed-serial="$serial"
`;
}

const apiKeyLines = (file: string): string => `
api_key_file=${expanded(file)}
api_key=$(tr -d '[:space:]' < "$api_key_file")
if [ -z "$api_key" ]; then
  echo "cannot register: $api_key_file holds no API key" >&2
  exit 1
fi
snapctl set device-service.headers="{\\"api-key\\": \\"$api_key\\"}"
`;

/** \`$SNAP/…\` is where snapd puts the gadget. */
const expanded = (path: string): string =>
  path.startsWith('$SNAP/') ? `"$SNAP"${quoted(path.slice('$SNAP'.length))}` : quoted(path);
