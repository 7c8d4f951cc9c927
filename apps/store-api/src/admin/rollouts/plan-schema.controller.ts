import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { PLAN_SCHEMA_PATH, planFileJsonSchema } from '#libs/plan-file';

const SCHEMA = Buffer.from(JSON.stringify(planFileJsonSchema(), null, 2));

/** The JSON schema of the plan file at an address that does not change: editors fetch it, without login. */
@Controller()
export class PlanSchemaController {
  @Get(PLAN_SCHEMA_PATH)
  async schema(@Res() reply: FastifyReply): Promise<void> {
    await reply
      .header('content-type', 'application/schema+json')
      .header('cache-control', 'public, max-age=3600')
      // Editors in browsers ask from another origin.
      .header('access-control-allow-origin', '*')
      .send(SCHEMA);
  }
}
