import { DeliveryService, type Resources } from '#libs/operations';
import { handle, jobs, type JobHandler } from '#libs/queue';

/** One attempt to send an event to a webhook; what comes after a failure is written in the delivery's row. */
export function notifyDeliverProcessor(resources: Resources): JobHandler {
  const deliveries = new DeliveryService(resources);
  return handle(jobs.notifyDeliver, ({ brandId, deliveryId }) =>
    deliveries.deliver(brandId, deliveryId),
  );
}
