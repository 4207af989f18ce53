// @hookline/dispatcher where the application publishes in transactions of its own, on its own pool, and says nothing
// after the commit.
import { createClientTransactions } from "@hookline/postgres";
import pg from "pg";
import { EVENT_TYPE, tenantOf } from "../events.mjs";
import { createContestant as createHookline } from "./hookline.mjs";

/** @type {import("../sender.program.mjs").ContestantFactory} */
export async function createContestant(options) {
  const pool = new pg.Pool({ connectionString: options.databaseUrl });
  const transactionOn = createClientTransactions();
  const { dispatcher, ...hookline } = await createHookline(options);
  return {
    ...hookline,
    async publish({ origin, data }) {
      const client = await pool.connect();
      try {
        const transaction = transactionOn(client);
        await client.query("begin");
        const { id } = await dispatcher.publish(
          { tenantId: tenantOf(origin), type: EVENT_TYPE, data },
          { transaction },
        );
        await client.query("commit");
        return id;
      } finally {
        client.release();
      }
    },
    async close() {
      await pool.end();
      await hookline.close();
    },
  };
}
