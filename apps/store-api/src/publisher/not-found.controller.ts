import { All, NotFoundException } from '@nestjs/common';
import { PublisherController } from './surface.js';

/** Paths of these families that nobody serves: 404 with an error list, not the framework's body (publisher-api.md 6.3). */
@PublisherController('')
export class NotFoundController {
  @All(['dev/api/*', 'api/v2/*', 'unscanned-upload/*'])
  refuse(): never {
    throw new NotFoundException('There is nothing at this address.');
  }
}
