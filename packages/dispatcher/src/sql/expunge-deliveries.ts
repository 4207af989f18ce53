import { operationalKey } from "../operational-events.js";

const EXHAUSTED_KEY = operationalKey("delivery.exhausted", "");

/**
 * The part of a statement that follows `waiting(id)` and `known(id)`, the unfinished and all deliveries of what is being
 * expunged: forgets what was answered to them, also in the events that told of their end, and ends what waits. What a
 * worker has is left to it, and marked: the attempt is written down without its answer, and another one finds no
 * payload. `$3` is the time. The rows of the queue are locked before, by `lockEvent` and `lockSends`, so that what is
 * leased here is what is leased.
 */
export function expungeDeliveries(schema: string): string {
  return `
    forgotten as (
      update "${schema}".attempts set response_body = null, reason = null
      where delivery_id = any(array(select id from known)) and error_code is distinct from 'payload_expunged'
        and (response_body is not null or reason is not null)
    ), hushed as (
      update "${schema}".events told set body = jsonb_set(told.body::jsonb, '{reason}', 'null')::text
      from "${schema}".attempts told_of
      where told_of.delivery_id = any(array(select id from known)) and told.tenant_id = told_of.tenant_id
        and told.idempotency_key = '${EXHAUSTED_KEY}' || told_of.delivery_id || ':' || told_of.attempt
        and told.expunged_at is null
    ), marked as (
      update "${schema}".queue set expunged = true where id = any(array(select id from waiting)) and leased
    ), ended as (
      delete from "${schema}".queue where id = any(array(select id from waiting)) and not leased
      returning id, tenant_id, endpoint_id, event_id, attempt, lease_no, ordering_key
    ), appended as (
      insert into "${schema}".attempts
        (delivery_id, attempt, lease_no, tenant_id, endpoint_id, event_id, started_at, duration_ms, outcome, ending,
         error_code, reason)
      select id, attempt + 1, lease_no, tenant_id, endpoint_id, event_id, $3::text::timestamptz, 0, 'dead', 'expunged',
        'payload_expunged', 'The payload was expunged.'
      from ended
    )`;
}

/** What waited and was not ended had just been taken by a worker, or was ended by one. */
export const ENDED_AND_IN_FLIGHT = `(select count(*) from ended)::integer as ended,
      ((select count(*) from waiting) - (select count(*) from ended))::integer as in_flight`;
