import { DEFAULTS } from "../defaults.js";
import type { Store } from "./store.js";

/**
 * Removes what has run out: replay keys, throttle counters, old confirm tokens. Runs beside ordinary work at most once
 * a minute, so that nothing has to be started or stopped; a failure is logged and never harms that work.
 */
export function createSweeper({ database, schema, clock, logger }: Store): { sweepIfDue(): Promise<void> } {
  let lastSweepMs = clock.now();
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
        // rate-limiter-flexible counts with the machine's own time.
        await database.query(`delete from "${schema}".rate_limits where expire < $1`, [Date.now()]);
      } catch (error) {
        logger.warn({ err: error }, "sweep failed, trying again in a minute");
      }
    },
  };
}
