import { DEFAULTS } from "../defaults.js";
import type { Store } from "./store.js";

interface Records {
  readonly table: "source_executions" | "source_refusals";
  readonly time: string;
  readonly nowMs: number;
  readonly keptMs: number;
  readonly maxPerSource: number;
}

/**
 * Removes what has run out: replay keys, shared state, throttle counters, old confirm tokens,
 * tokens that could not be given back, what sources have recorded, what automations have run. Runs beside ordinary work at most once
 * a minute, so that nothing has to be started or stopped; a failure is logged and never harms that work.
 */
export function createSweeper({ database, schema, clock, logger }: Store): { sweepIfDue(): Promise<void> } {
  let lastSweepMs = clock.now();

  async function sweepRecords({ table, time, nowMs, keptMs, maxPerSource }: Records): Promise<void> {
    const records = `"${schema}"."${table}"`;
    await database.query(`delete from ${records} where "${time}" < $1`, [new Date(nowMs - keptMs)]);
    await database.query(
      `delete from ${records} r
       using (select s.source_id, (select o.id from ${records} o where o.source_id = s.source_id
                                   order by o.id desc offset $1 limit 1) as last_id
              from (select distinct source_id from ${records}) s) too_many
       where r.source_id = too_many.source_id and r.id <= too_many.last_id`,
      [maxPerSource],
    );
  }

  /** By number only what has ended: what an execution under way has recorded as done is not done again. */
  async function sweepExecutions(nowMs: number): Promise<void> {
    const { keptMs, maxExecutions } = DEFAULTS.automations;
    const before = new Date(nowMs - keptMs);
    await database.query(`delete from "${schema}".automation_executions where started_at < $1`, [before]);
    await database.query(`delete from "${schema}".automation_events where published_at < $1`, [before]);
    await database.query(
      `delete from "${schema}".automation_executions e
       using (select a.tenant_id, a.id, (select o.id from "${schema}".automation_executions o
                                         where o.tenant_id = a.tenant_id and o.automation_id = a.id
                                         order by o.id desc offset $1 limit 1) as last_id
              from "${schema}".automations a) too_many
       where e.tenant_id = too_many.tenant_id and e.automation_id = too_many.id and e.id <= too_many.last_id
         and e.ended_at is not null`,
      [maxExecutions],
    );
  }

  return {
    async sweepIfDue() {
      const nowMs = clock.now();
      if (nowMs - lastSweepMs < DEFAULTS.sweepIntervalMs) return;
      lastSweepMs = nowMs;
      try {
        await database.query(`delete from "${schema}".accepted_keys where expires_at < $1`, [new Date(nowMs)]);
        await database.query(`delete from "${schema}".shared_state where expires_at < $1`, [new Date(nowMs)]);
        await database.query(`delete from "${schema}".confirm_tokens where expires_at < $1`, [
          new Date(nowMs - DEFAULTS.confirmKeptMs),
        ]);
        await database.query(`delete from "${schema}".account_tokens where released_at < $1`, [
          new Date(nowMs - DEFAULTS.releasedTokensKeptMs),
        ]);
        await database.query(`delete from "${schema}".confirm_blocks where expires_at < $1`, [new Date(nowMs)]);
        await sweepRecords({ table: "source_executions", time: "received_at", nowMs, ...DEFAULTS.executions });
        await sweepRecords({ table: "source_refusals", time: "refused_at", nowMs, ...DEFAULTS.refusals });
        await sweepExecutions(nowMs);
        // rate-limiter-flexible counts with the machine's own time.
        await database.query(`delete from "${schema}".rate_limits where expire < $1`, [Date.now()]);
      } catch (error) {
        logger.warn({ err: error }, "sweep failed, trying again in a minute");
      }
    },
  };
}
