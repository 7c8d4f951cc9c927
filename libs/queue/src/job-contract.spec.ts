import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { handle, tableOfHandlers } from './handlers.js';
import { allJobs, getJob, jobs } from './jobs.js';
import { defineJob, jobId, parsePayload } from './job-contract.js';

const schema = z.object({ id: z.string() });
const key = ({ id }: { id: string }) => id;

describe('a job', () => {
  it('is named by kind, entity and version, in characters that BullMQ takes', () => {
    const job = defineJob({ name: 'note', schema, key });
    expect(jobId(job, { id: 'a' })).toBe('note.a');
    expect(jobId(job, { id: 'a:b' }, 7)).toBe('note.a_b.7');
  });

  it('has patience by default, and is refused without', () => {
    expect(defineJob({ name: 'note', schema, key })).toMatchObject({
      attempts: 5,
      backoffMs: 500,
      lane: 'prompt',
    });
    for (const wrong of [{ attempts: 2 }, { name: 'a.b' }, { name: 'Note' }, { name: '' }]) {
      expect(() => defineJob({ name: 'note', schema, key, ...wrong })).toThrow(
        /^cannot define job/,
      );
    }
  });

  it('takes only payloads of its schema, and says what is wrong', () => {
    const job = defineJob({
      name: 'wave',
      schema: z.object({ rolloutId: z.string().min(1), rev: z.number().nonnegative() }),
      key: ({ rolloutId, rev }) => `${rolloutId}.${rev}`,
    });
    expect(parsePayload(job, { rolloutId: 'r', rev: 3, more: 1 })).toEqual({
      rolloutId: 'r',
      rev: 3,
    });
    expect(() => parsePayload(job, { rolloutId: '', rev: -1 })).toThrow(
      /^cannot read payload of wave: rolloutId: .*; rev: /,
    );
  });
});

describe('the table of jobs', () => {
  it('has no name twice, and finds by name', () => {
    const names = allJobs.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const job of allJobs) expect(getJob(job.name)).toBe(job);
    expect(() => getJob('nothing')).toThrow('cannot find job "nothing"');
  });

  it('U66 gives no id with a colon, and none that is a whole number, whatever its jobs are about', () => {
    const id = fc.oneof(
      fc.string({ minLength: 1, maxLength: 64 }),
      fc.stringMatching(/^[0-9:]{1,9}$/),
    );
    const ids = fc.record({
      ...{ brandId: id, rolloutId: id, uploadId: id, deliveryId: id, snapId: id },
    });
    const whole = fc.record({
      waveNo: fc.nat().map((n) => n + 1),
      revision: fc.nat().map((n) => n + 1),
      rev: fc.nat(),
      version: fc.nat(),
    });
    const again = fc.option(fc.oneof(id, fc.nat()), { nil: undefined });
    fc.assert(
      fc.property(
        fc.constantFrom(...allJobs),
        ids,
        whole,
        again,
        (job, named, counted, version) => {
          const payload = parsePayload(job, { ...named, ...counted });
          const given = jobId(job, payload, version);
          expect(given).not.toContain(':');
          expect(given).not.toMatch(/^\d+$/);
        },
      ),
    );
  });

  it('wants one handler for each', () => {
    const one = handle(jobs.reviewUpload, async () => {});
    const rest = allJobs
      .filter(({ name }) => name !== jobs.reviewUpload.name)
      .map((job) => handle(job, async () => {}));
    expect(tableOfHandlers(allJobs, [one, ...rest]).size).toBe(allJobs.length);
    expect(() => tableOfHandlers(allJobs, rest)).toThrow(
      'cannot start worker: no handler for review-upload',
    );
    expect(() => tableOfHandlers(allJobs, [one, one, ...rest])).toThrow(
      'cannot start worker: two handlers for review-upload',
    );
  });
});
