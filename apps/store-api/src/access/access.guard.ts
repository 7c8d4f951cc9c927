import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { parseAuthorization } from '#libs/auth';
import {
  PublisherLoginService,
  SignInService,
  SubjectFinder,
  type Publisher,
} from '#libs/operations';
import { routeRule } from '#libs/runtime';
import { requirePermission } from '../admin/permissions.js';
import { ROUTES } from './routes.js';

export type PublisherRequest = FastifyRequest & { publisher?: Publisher };

/**
 * Stands before every REST route and does what the table says: macaroons for publishers (publisher-api.md 2.4, 2.5), roles
 * where a route is as a field. All other rules concern what the request itself brings, which the handlers read. GraphQL has
 * the field gate.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    @Inject(PublisherLoginService) private readonly logins: PublisherLoginService,
    @Inject(SignInService) private readonly signIn: SignInService,
    @Inject(SubjectFinder) private readonly subjects: SubjectFinder,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<PublisherRequest>();
    const path = request.routeOptions.url ?? '';
    const rule = routeRule(ROUTES, request.method, path);
    if (rule === undefined) throw new Error(`internal error: no rule for ${path}`);
    if (rule === 'publisher') return this.letPublisherIn(request);
    return typeof rule === 'string' || this.letRoleIn(request, rule.field);
  }

  private async letPublisherIn(request: PublisherRequest): Promise<boolean> {
    request.publisher = await this.logins.recognise(request.headers.authorization);
    return true;
  }

  private async letRoleIn(request: FastifyRequest, field: string): Promise<boolean> {
    const { headers, ip } = request;
    const authorization = parseAuthorization(headers.authorization ?? '');
    const client = { address: ip, agent: headers['user-agent'] ?? '' };
    const who =
      authorization?.kind === 'token'
        ? await this.signIn.recognise(authorization.token, client)
        : null;
    const args = request.params as Readonly<Record<string, string>>;
    await requirePermission(field, args, who, (brandId, things) =>
      this.subjects.find(brandId, things),
    );
    return true;
  }
}
