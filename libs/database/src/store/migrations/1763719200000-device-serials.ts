import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Who signed the serial of a device (S29 tells brand serials from generic ones), and a notice to the processes that keep
 * devices in memory when what an operator says of one changes (update-control.md 3.3, device facts).
 */
export class DeviceSerials1763719200000 implements MigrationInterface {
  name = 'DeviceSerials1763719200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '4s'`);
    await runner.query(`ALTER TABLE "store"."devices" ADD "serial_authority_id" text`);
    await runner.query(`
      CREATE FUNCTION store.tell_device() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM pg_notify('device', NEW.uid::text);
        RETURN NULL;
      END $$`);
    await runner.query(`
      CREATE TRIGGER tell_device AFTER UPDATE OF tags, timezone, model, serial, serial_authority_id ON store.devices
        FOR EACH ROW WHEN ((OLD.tags, OLD.timezone, OLD.model, OLD.serial, OLD.serial_authority_id)
          IS DISTINCT FROM (NEW.tags, NEW.timezone, NEW.model, NEW.serial, NEW.serial_authority_id))
        EXECUTE FUNCTION store.tell_device()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TRIGGER tell_device ON store.devices`);
    await runner.query(`DROP FUNCTION store.tell_device()`);
    await runner.query(`ALTER TABLE "store"."devices" DROP COLUMN "serial_authority_id"`);
  }
}
