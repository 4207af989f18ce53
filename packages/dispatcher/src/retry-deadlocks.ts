import { isDatabaseError } from "@hookline/postgres";

const MAX_DEADLOCKS = 5;

/** Runs a transaction, and anew when the database ended it because of a deadlock, a few times: nothing of it was kept. */
export async function retryDeadlocks<T>(run: () => Promise<T>): Promise<T> {
  for (let deadlocks = 0; ; deadlocks++) {
    try {
      return await run();
    } catch (error) {
      const isDeadlock = isDatabaseError(error) && error.sqlState === "40P01";
      if (!isDeadlock || deadlocks >= MAX_DEADLOCKS) throw error;
    }
  }
}
