import type { Database } from "@hookline/postgres";

/** What is done once for a database, and not again at each start: people may have changed or removed it since. */
export interface FirstStart {
  /** `work` answers whether it is done; where it is not, or throws, the next start tries again. */
  once(name: string, work: () => Promise<boolean>): Promise<void>;
}

export function createFirstStart(options: { readonly database: Database; readonly schema: string }): FirstStart {
  const { database, schema } = options;
  return {
    async once(name, work) {
      const [done] = await database.query(`SELECT name FROM ${schema}.first_starts WHERE name = $1`, [name]);
      if (done !== undefined || !(await work())) return;
      await database.query(
        `INSERT INTO ${schema}.first_starts (name, done_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`,
        [name, new Date()],
      );
    },
  };
}
