import type { SqlQuery } from "@hookline/core";

export interface TakenEntity {
  readonly endpointId: string;
  readonly entity: string;
  /** Which delivery, under which lease. */
  readonly holder: string;
}

/** Takes the entity's state for one attempt; no row while another one has it. Answers the state as JSON text. */
export function takeEntity(schema: string) {
  const text = `
    insert into "${schema}".states as known (endpoint_id, entity, state, updated_at, holder, held_until)
    values ($1::text, $2::text, 'null', $4::text::timestamptz, $3::text, $5::text::timestamptz)
    on conflict (endpoint_id, entity) do update set holder = excluded.holder, held_until = excluded.held_until
    where known.held_until is null or known.held_until <= $4::text::timestamptz
    returning state`;

  return (
    query: SqlQuery,
    { endpointId, entity, holder }: TakenEntity,
    { now, until }: { readonly now: string; readonly until: string },
  ) => query<{ readonly state: string }>(text, [endpointId, entity, holder, now, until]);
}
