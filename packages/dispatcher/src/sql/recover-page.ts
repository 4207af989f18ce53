import type { SqlQuery } from "@hookline/core";
import type { RecoverableStatus } from "../recovery.js";
import { isPastQueue } from "./past-queue.js";
import type { RecoveryRow } from "./recovery-row.js";
import { requeueChosen } from "./requeue-deliveries.js";

export interface RecoveredPage {
  /** The last delivery of the page; null when there was none. */
  readonly last: string | null;
  readonly matched: number;
  readonly requeued: number;
}

/**
 * Puts the next deliveries of a recovery back in the queue. It goes by their ids alone, of which there are no two alike,
 * and finds only what lies behind its place: so it skips none, and meets none twice.
 */
export function recoverPage(schema: string) {
  const ended = (endings: string) => `
    (select ended.delivery_id as id from "${schema}".attempts ended
    where ended.endpoint_id = $3::text and ended.tenant_id = $1::text and ended.ending is not null ${endings}
      and ended.delivery_id > $4::text and ended.delivery_id < $5::text
      and not ${isPastQueue(schema, "ended.delivery_id")}
      and not exists (select from "${schema}".events gone where gone.id = ended.event_id and gone.expunged_at is not null)
    order by ended.delivery_id limit $6::integer)`;
  const held = `
    (select waiting.id from "${schema}".queue waiting
    where waiting.endpoint_id = $3::text and waiting.tenant_id = $1::text and waiting.state = 1
      and waiting.id > $4::text and waiting.id < $5::text
    order by waiting.id limit $6::integer)`;
  const chosen: Readonly<Record<RecoverableStatus, string>> = {
    dead: ended("and ended.ending <> 'delivered' and ended.ending <> 'skipped'"),
    delivered: ended("and ended.ending in ('delivered', 'skipped')"),
    held,
    all: `${ended("")} union all ${held} order by id limit $6::integer`,
  };
  const textOf = (of: RecoverableStatus) => `
    with chosen as (${chosen[of]}), ${requeueChosen(schema)}, released as (
      update "${schema}".queue set state = 0, next_at = $2::text::timestamptz
      where id = any(array(select id from chosen)) and state = 1
        and exists (select from "${schema}".endpoints where id = $3::text and active)
      returning id
    )
    select (select max(id) from chosen) as last, (select count(*) from chosen)::integer as matched,
      ((select count(*) from queued) + (select count(*) from released))::integer as requeued`;

  return (query: SqlQuery, task: RecoveryRow, page: { readonly now: string; readonly limit: number }) =>
    query<RecoveredPage>(textOf(task.of_status), [
      task.tenant_id,
      page.now,
      task.endpoint_id,
      task.place,
      task.place_end,
      page.limit,
    ]);
}
