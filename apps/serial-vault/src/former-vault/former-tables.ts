/** Tables of the former vault that are taken over, with the columns that are read (serial-vault.md 17.5). */
export const TAKEN_TABLES = {
  account: ['id', 'authority_id', 'assertion'],
  keypair: ['id', 'key_id', 'key_name', 'active', 'assertion'],
  model: ['id', 'brand_id', 'name', 'keypair_id', 'api_key'],
  signinglog: ['id', 'make', 'model', 'serial_number', 'fingerprint', 'created', 'revision'],
  substore: ['account_id', 'from_model_id', 'store', 'serial_number', 'model_name'],
} as const;
export type TakenTable = keyof typeof TAKEN_TABLES;

const PEOPLE = 'people are invited here; a role of the former vault was good for too much';
const SHORT_LIVED = 'of no use after the move';

/** Its other tables, and why they stay. */
export const LEFT_TABLES: Readonly<Record<string, string>> = {
  devicenonce: SHORT_LIVED,
  keypairstatus: SHORT_LIVED,
  openidnonce: SHORT_LIVED,
  settings: 'it opens private keys, which do not come along',
  modelassertion: 'a model comes by its signed assertion, or from the store',
  testlog: 'test logs are not kept here',
  userinfo: PEOPLE,
  useraccountlink: PEOPLE,
};

export const isTaken = (table: string): table is TakenTable => table in TAKEN_TABLES;
