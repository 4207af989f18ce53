/**
 * Whether a delivery was made by `endpoints.test` or `endpoints.verify`, past the queue: its first attempt had no lease.
 * Neither had the end of what was expunged before any attempt.
 */
export function isPastQueue(schema: string, deliveryId: string): string {
  return `exists (select from "${schema}".attempts made
      where made.delivery_id = ${deliveryId} and made.attempt = 1 and made.lease_no = 0
        and made.error_code is distinct from 'payload_expunged')`;
}
