import type { SqlQuery } from "@hookline/core";
import { isDatabaseError } from "@hookline/postgres";
import { isInTurn, isRetry, letsPass, NOT_ITS_TURN } from "./ordering.js";

/** A delivery under a fresh lease, with what an attempt needs. */
export interface ClaimedRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly event_id: string | null;
  readonly endpoint_id: string | null;
  /** Null when the endpoint is gone. */
  readonly version: number | null;
  readonly lease_no: number;
  readonly attempt: number;
  readonly first_attempt: number;
  readonly deadline_at: Date | null;
  readonly type: string | null;
  readonly subject_id: string | null;
  readonly occurred_at: Date | null;
  readonly body: string | null;
  readonly destination: string | null;
  readonly target: string | null;
  /** The payload is gone. */
  readonly expunged: boolean;
  /** Its event or direct send is gone as a whole. */
  readonly missing: boolean;
  /** Of the endpoint, as it was before this claim: 0 or null for a healthy one. */
  readonly failures: number | null;
  readonly openings: number | null;
  readonly blocked_until: Date | null;
  /** Of whoever published it; see the migration. */
  readonly trace_context: string | null;
}

export interface ClaimParams {
  readonly now: string;
  readonly leasedUntil: string;
  readonly limit: number;
}

/** What came of a claim. */
export interface Claim {
  readonly rows: readonly ClaimedRow[];
  /** With those that were put off, since it is not their turn. */
  readonly chosen: number;
  /** The latest time at which one of them was due that was under no lease; null when there was none. */
  readonly chosenToMs: number | null;
  /** The circuit breaker is open, and this claim took its probe: with no row, for nothing. */
  readonly isProbe: boolean;
}

interface SummarizedRow extends Omit<ClaimedRow, "id"> {
  readonly id: string | null;
  readonly chosen: number;
  readonly chosen_to_ms: number | null;
  readonly is_probe: boolean;
}

/** While the one that a delivery waits for is just being worked on: it may be gone at any moment. */
const BREATH = "interval '20 milliseconds'";

/**
 * Everything that follows the choice of rows, which both ways of claiming share. Of one ordering key only the first is
 * leased. The others leave the line, unless the one that they wait for cannot be locked: whoever ends it must see them.
 */
export function leaseChosen(schema: string, chosen: string, probe?: string): string {
  const sameKey = (other: string) =>
    `${other}.endpoint_id = chosen.endpoint_id and ${other}.ordering_key = chosen.ordering_key`;
  const isEarlier = `${sameKey("earlier")} and earlier.position < chosen.position and not chosen.leased`;
  return `
    with ${probe === undefined ? "" : `probe as (${probe}), `}chosen as materialized (${chosen}), behind as materialized (
      select chosen.id, first.id as first, first.attempt
      from chosen cross join lateral (
        select exists (
          select from "${schema}".endpoints endpoint where endpoint.id = chosen.endpoint_id and ${letsPass("endpoint")}
        ) as skips
      ) as rule cross join lateral (
        (select other.id, other.attempt from "${schema}".queue other
         where ${sameKey("other")} and other.leased and other.id <> chosen.id limit 1)
        union all
        (select earlier.id, earlier.attempt from "${schema}".queue earlier
         where ${isEarlier} and not rule.skips
         order by earlier.position limit 1)
        union all
        (select earlier.id, earlier.attempt from "${schema}".queue earlier
         where ${isEarlier} and rule.skips and ${isInTurn("earlier")}
         order by earlier.position limit 1)
        union all
        (select earlier.id, earlier.attempt from "${schema}".queue earlier
         where ${isEarlier} and rule.skips and ${isRetry("earlier")} and earlier.next_at <= $1::text::timestamptz
         order by earlier.next_at limit 1)
        limit 1
      ) as first
      where chosen.ordering_key is not null
    ), unfinished as materialized (
      select delivery.id
      from "${schema}".queue delivery
      join behind on behind.first = delivery.id and behind.attempt = delivery.attempt
      where not exists (select from chosen where chosen.id = behind.first)
      for share of delivery skip locked
    ), put_off as (
      update "${schema}".queue waiting set
        state = 0, leased = false,
        next_at = case when behind.first in (select id from unfinished union all select id from chosen)
          then ${NOT_ITS_TURN} else $1::text::timestamptz + ${BREATH} end
      from behind where waiting.id = behind.id
    ), leased as (
      update "${schema}".queue set
        state = 0, leased = true, lease_no = lease_no + 1, next_at = $2::text::timestamptz
      where id = any(array(
        select id from chosen where not exists (select from behind where behind.id = chosen.id)
      ))
      returning id, tenant_id, event_id, endpoint_id, lease_no, attempt, first_attempt, deadline_at
    )
    select leased.*, endpoint.version, event.type, event.subject_id, coalesce(event.occurred_at, message.stored_at)
      as occurred_at, coalesce(event.body, message.body) as body, message.destination, message.target,
      event.expunged_at is not null or message.expunged_at is not null as expunged,
      event.id is null and message.id is null as missing,
      endpoint.failures, endpoint.openings, greatest(endpoint.circuit_until, endpoint.held_until) as blocked_until,
      coalesce(event.trace_context, message.trace_context) as trace_context,
      summary.chosen, summary.chosen_to_ms, ${probe === undefined ? "false" : "exists (select from probe)"} as is_probe
    from (
      select count(*)::integer as chosen,
        (extract(epoch from max(next_at) filter (where not leased)) * 1000)::float8 as chosen_to_ms
      from chosen
    ) as summary
    left join leased on true
    left join "${schema}".events event on event.id = leased.event_id
    left join "${schema}".messages message on leased.event_id is null and message.id = leased.id
    left join "${schema}".endpoints endpoint on endpoint.id = leased.endpoint_id
    order by leased.id`;
}

/** Runs a statement made by {@link leaseChosen}, which answers one row at least: without a delivery when there is none. */
export async function runClaim(query: SqlQuery, text: string, params: readonly unknown[]): Promise<Claim> {
  const rows = await query<SummarizedRow>(text, params).catch((error: unknown) => {
    if (!isTurnTaken(error)) throw error;
    // A second look sees whose turn it is.
    return query<SummarizedRow>(text, params);
  });
  const [first] = rows;
  return {
    rows: first === undefined || first.id === null ? [] : (rows as readonly ClaimedRow[]),
    chosen: first?.chosen ?? 0,
    chosenToMs: first?.chosen_to_ms ?? null,
    isProbe: first?.is_probe ?? false,
  };
}

/** Another claim took the turn of a key at the same moment. */
function isTurnTaken(error: unknown): boolean {
  return isDatabaseError(error) && (error.sqlState === "23505" || error.sqlState === "40P01");
}

/** Leases what is due: first what a crashed worker left, then overflow and retries. */
export function claimDeliveries(schema: string) {
  const dueOf = (condition: string, limit: string) => `
    select id, endpoint_id, ordering_key, position, leased, next_at from "${schema}".queue
    where ${condition} and next_at <= $1::text::timestamptz and next_at >= $4::text::timestamptz
    order by next_at, id
    limit ${limit}
    for update skip locked`;
  const text = leaseChosen(
    schema,
    `with lapsed as materialized (${dueOf("state = 0 and leased", "$3::integer")}), due as materialized (
       ${dueOf("state = 0 and not leased", "$3::integer - (select count(*) from lapsed)")}
     )
     select * from lapsed union all select * from due`,
  );

  /** @param from What was due before that time is not looked at; `-infinity` for everything. */
  return (query: SqlQuery, params: ClaimParams & { readonly from: string }): Promise<Claim> =>
    runClaim(query, text, [params.now, params.leasedUntil, params.limit, params.from]);
}
