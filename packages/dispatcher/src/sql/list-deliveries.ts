import type { SqlQuery } from "@hookline/core";
import { NOT_ITS_TURN } from "./ordering.js";
import { isPastQueue } from "./past-queue.js";
import type { Ending } from "./record-attempts.js";

/** A delivery, finished or not. */
export interface DeliveryRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly endpoint_id: string | null;
  readonly event_id: string | null;
  readonly attempts: number;
  /** Null while it is in the queue. */
  readonly ending: Ending | null;
  readonly ended_at: Date | null;
  readonly reason: string | null;
  /** Its endpoint is disabled; false once it has ended. */
  readonly held: boolean;
  readonly leased: boolean;
  readonly next_at: Date | null;
  readonly event_type: string | null;
  readonly destination: string | null;
  readonly deadline_at: Date | null;
  readonly created_at: Date;
  /** Its payload is gone. */
  readonly expunged: boolean;
}

export type ListedStatus = "pending" | "delivering" | "held" | "delivered" | "dead" | "expired";

/** What is absent does not matter. */
export interface ListDeliveriesParams {
  readonly tenantId: string;
  readonly limit: number;
  readonly ids?: readonly string[] | undefined;
  readonly endpointId?: string | undefined;
  readonly eventId?: string | undefined;
  readonly eventType?: string | undefined;
  readonly status?: ListedStatus | undefined;
  /** Of the last attempt. */
  readonly httpStatus?: number | undefined;
  /** Of the last attempt. */
  readonly errorCode?: string | undefined;
  /** Only ids from this one on. */
  readonly fromId?: string | undefined;
  /** Only ids before these. */
  readonly beforeIds?: readonly string[] | undefined;
  /** Without what was made past the queue. */
  readonly onlyQueued?: boolean;
}

/**
 * A tenant's deliveries, newest first: those in the queue, and those whose last attempt says how they ended. The text
 * names only what is asked for, so that Postgres can plan each way of asking with its own index.
 */
export function listDeliveries(schema: string) {
  return (query: SqlQuery, params: ListDeliveriesParams) => {
    const values: unknown[] = [params.tenantId, params.limit];
    const add = (value: unknown, type: string): string => `$${values.push(value)}::${type}`;
    const branches = branchesOf(params, conditionsOf(params, { add, schema }), schema);
    const text = `
      with page as (${branches.join(" union all ")})
      select page.*, event.type as event_type, coalesce(endpoint.destination, message.destination) as destination,
        message.deadline_at, coalesce(event.stored_at, message.stored_at) as created_at,
        event.expunged_at is not null or message.expunged_at is not null as expunged
      from page
      left join "${schema}".events event on event.id = page.event_id
      left join "${schema}".messages message on page.event_id is null and message.id = page.id
      left join "${schema}".endpoints endpoint on endpoint.id = page.endpoint_id
      order by page.id desc
      limit $2::integer`;
    return query<DeliveryRow>(text, values);
  };
}

interface Conditions {
  /** Over the columns that both tables have. */
  of(table: string, id: string): string;
  /** Over a row of `attempts`; empty when none is asked for. */
  ofAttempt(table: string): string;
}

function conditionsOf(
  params: ListDeliveriesParams,
  { add, schema }: { readonly add: (value: unknown, type: string) => string; readonly schema: string },
): Conditions {
  const ids = params.ids && add(params.ids.join("\u001e"), "text");
  const endpointId = params.endpointId && add(params.endpointId, "text");
  const eventId = params.eventId && add(params.eventId, "text");
  const eventType = params.eventType && add(params.eventType, "text");
  const fromId = params.fromId && add(params.fromId, "text");
  const beforeIds = params.beforeIds?.map((id) => add(id, "text")) ?? [];
  const httpStatus = params.httpStatus && add(params.httpStatus, "integer");
  const errorCode = params.errorCode && add(params.errorCode, "text");
  const isFailure = params.httpStatus !== undefined && (params.httpStatus < 200 || params.httpStatus > 299);
  return {
    of: (table, id) =>
      [
        `${table}.tenant_id = $1::text`,
        ids && `${table}.${id} = any(string_to_array(${ids}, E'\\x1e'))`,
        endpointId && `${table}.endpoint_id = ${endpointId}`,
        eventId && `${table}.event_id = ${eventId}`,
        eventType && `about.type = ${eventType} and about.tenant_id = $1::text`,
        fromId && `${table}.${id} >= ${fromId}`,
        ...beforeIds.map((before) => `${table}.${id} < ${before}`),
        params.onlyQueued && `not ${isPastQueue(schema, `${table}.${id}`)}`,
      ]
        .filter(Boolean)
        .join(" and "),
    ofAttempt: (table) =>
      [
        httpStatus && `and ${table}.status = ${httpStatus}`,
        // As the index over failures has it.
        isFailure && `and (${table}.status < 200 or ${table}.status > 299)`,
        errorCode && `and ${table}.error_code = ${errorCode}`,
      ]
        .filter(Boolean)
        .join(" "),
  };
}

function branchesOf(params: ListDeliveriesParams, conditions: Conditions, schema: string): readonly string[] {
  const about = (table: string) =>
    params.eventType === undefined ? "" : `join "${schema}".events about on about.id = ${table}.event_id`;
  const ofLast = conditions.ofAttempt("last");
  const lastAttempt =
    ofLast === ""
      ? ""
      : `and exists (select from "${schema}".attempts last
           where last.delivery_id = waiting.id and last.attempt = waiting.attempt ${ofLast})`;
  // Those that a busy endpoint had set aside when it was disabled are held as well.
  const isHeld = `(waiting.state <> 0 and exists (
      select from "${schema}".endpoints owner where owner.id = waiting.endpoint_id and not owner.active))`;
  const unfinished = (states: string) => `
    (select waiting.id, waiting.tenant_id, waiting.endpoint_id, waiting.event_id, waiting.attempt as attempts,
      null::text as ending, null::timestamptz as ended_at, null::text as reason,
      ${isHeld} as held, waiting.leased, nullif(waiting.next_at, ${NOT_ITS_TURN}) as next_at
    from "${schema}".queue waiting ${about("waiting")}
    where ${conditions.of("waiting", "id")} ${states} ${lastAttempt}
    order by waiting.id desc limit $2::integer)`;
  const ended = (endings: string) => `
    (select ended.delivery_id as id, ended.tenant_id, ended.endpoint_id, ended.event_id, ended.attempt as attempts,
      ended.ending, ended.started_at as ended_at, ended.reason, false as held, false as leased,
      null::timestamptz as next_at
    from "${schema}".attempts ended ${about("ended")}
    where ${conditions.of("ended", "delivery_id")} and ended.ending is not null ${endings}
      ${conditions.ofAttempt("ended")}
    order by ended.delivery_id desc limit $2::integer)`;
  // Apart, since each has its own index.
  const waiting = (states = "") => unfinished(`and not waiting.leased ${states}`);
  const leased = unfinished("and waiting.state = 0 and waiting.leased");
  switch (params.status) {
    case undefined:
      return [waiting(), leased, ended("")];
    case "held":
      return [waiting(`and ${isHeld}`)];
    case "delivering":
      return [leased];
    case "pending":
      return [waiting(`and not ${isHeld}`), leased];
    case "delivered":
      return [ended("and ended.ending in ('delivered', 'skipped')")];
    case "expired":
      return [ended(`${UNDELIVERED} and ended.ending = 'expired'`)];
    case "dead":
      return [ended(`${UNDELIVERED} and ended.ending <> 'expired'`)];
  }
}

/** As the indexes over what was not delivered have it. */
const UNDELIVERED = "and ended.ending <> 'delivered' and ended.ending <> 'skipped'";
