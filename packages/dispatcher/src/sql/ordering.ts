/** The `next_at` of a delivery that waits for an earlier one of its ordering key: no claim and no wake-up looks at it. */
export const NOT_ITS_TURN = "'infinity'::timestamptz";

/** The key by which a delivery keeps its place; null where the event has none, or the endpoint asks for no order. */
export function placeKey(event: string, endpoint: string): string {
  return `case when ${event}.ordering_key is not null and ${endpoint}.policy::json ->> 'ordering' is not null
    then ${event}.ordering_key end`;
}

/** The next place of all. */
export function nextPlace(schema: string): string {
  return `nextval('"${schema}".queue_position')`;
}

/**
 * The condition that a delivery is tried again, now or later: until then `skip` lets the next ones of its key pass. As the
 * index over such retries has it.
 */
export function isRetry(delivery: string): string {
  return `(${delivery}.attempt > 0 and not ${delivery}.leased and ${delivery}.state = 0
    and ${delivery}.next_at < ${NOT_ITS_TURN})`;
}

/** The condition that it is not: nothing behind it passes. As the index over the others has it. */
export function isInTurn(delivery: string): string {
  return `(${delivery}.attempt = 0 or ${delivery}.leased or ${delivery}.state <> 0
    or ${delivery}.next_at = ${NOT_ITS_TURN})`;
}

/** The condition that an endpoint lets the next ones pass. */
export function letsPass(endpoint: string): string {
  return `${endpoint}.policy::json ->> 'ordering' = 'skip'`;
}
