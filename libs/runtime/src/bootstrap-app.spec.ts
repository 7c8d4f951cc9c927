import { Controller, Get, Module } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startApp, type AppPlan } from './bootstrap-app.js';
import { wholeNumber } from './config.js';

@Controller()
class HelloController {
  @Get('hello/:name')
  hello(): { hello: string } {
    return { hello: 'world' };
  }
}

@Module({ controllers: [HelloController] })
class HelloModule {}

const schema = {
  config: z.object({ SIZE: wholeNumber(1, 9) }),
  secrets: z.object({ TOKEN: z.string() }),
};
type Plan = AppPlan<typeof schema.config, typeof schema.secrets>;
const env = { SIZE: '3', TOKEN: 't', LOG_LEVEL: 'silent' };

function plan(build: Plan['build']): Plan {
  return { name: 'hello', schema, build };
}

const surface = (name: string) => ({ name, module: HelloModule, port: 0 });

describe('starting an app', () => {
  it('serves its surfaces on ports of their own, with metrics by route, until it is stopped', async () => {
    const undone: string[] = [];
    const app = await startApp(
      plan(async ({ config, secrets, shutdown }) => {
        expect([config.SIZE, secrets.TOKEN.reveal()]).toEqual([3, 't']);
        shutdown.add('database', () => undone.push('database'));
        return [surface('http'), surface('admin')];
      }),
      env,
    );
    const { http, admin, ops } = app.addresses;
    expect(new Set([http, admin, ops]).size).toBe(3);
    const answer = await fetch(`${http}/hello/me`);
    expect(await answer.json()).toEqual({ hello: 'world' });
    expect((await fetch(`${ops}/health/ready`)).status).toBe(200);
    const metrics = await (await fetch(`${ops}/metrics`)).text();
    expect(metrics).toMatch(
      /request_seconds_count\{app="hello",surface="http",method="GET",route="\/hello\/:name",status="200"\} 1/,
    );
    await app.stop();
    await expect(fetch(`${http}/hello/me`)).rejects.toThrow();
    expect(undone).toEqual(['database']);
  });

  it('undoes what it did when a part cannot start', async () => {
    const undone: string[] = [];
    const failing = plan(async ({ shutdown }) => {
      shutdown.add('database', () => undone.push('database'));
      throw new Error('no blobs');
    });
    await expect(startApp(failing, env)).rejects.toThrow('no blobs');
    expect(undone).toEqual(['database']);
  });

  it('leaves no secret in the environment that its children get', async () => {
    Object.assign(process.env, env);
    try {
      const app = await startApp(
        plan(async ({ secrets }) => {
          expect(secrets.TOKEN.reveal()).toBe('t');
          expect([process.env.SIZE, process.env.TOKEN]).toEqual(['3', undefined]);
          return [];
        }),
      );
      await app.stop();
    } finally {
      for (const name of Object.keys(env)) delete process.env[name];
    }
  });

  it('does not start in a wrong environment', async () => {
    await expect(
      startApp(
        plan(async () => []),
        { LOG_LEVEL: 'silent' },
      ),
    ).rejects.toMatchObject({
      problems: ['SIZE is not set', 'TOKEN is not set'],
    });
  });
});
