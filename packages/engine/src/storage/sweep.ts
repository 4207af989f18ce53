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
 * Removes what has run out: replay keys, throttle counters, old confirm tokens, what sources have recorded. Runs beside ordinary work at most once
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

  return {
    async sweepIfDue() {
      const nowMs = clock.now();
      if (nowMs - lastSweepMs < DEFAULTS.sweepIntervalMs) return;
      lastSweepMs = nowMs;
      try {
        await database.query(`delete from "${schema}".accepted_keys where expires_at < $1`, [new Date(nowMs)]);
        await database.query(`delete from "${schema}".confirm_tokens where expires_at < $1`, [
          new Date(nowMs - DEFAULTS.confirmKeptMs),
        ]);
        await database.query(`delete from "${schema}".confirm_blocks where expires_at < $1`, [new Date(nowMs)]);
        await sweepRecords({ table: "source_executions", time: "received_at", nowMs, ...DEFAULTS.executions });
        await sweepRecords({ table: "source_refusals", time: "refused_at", nowMs, ...DEFAULTS.refusals });
        // rate-limiter-flexible counts with the machine's own time.
        await database.query(`delete from "${schema}".rate_limits where expire < $1`, [Date.now()]);
      } catch (error) {
        logger.warn({ err: error }, "sweep failed, trying again in a minute");
      }
    },
  };
}
