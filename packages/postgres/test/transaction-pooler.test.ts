import type { Transaction } from "@hookline/core";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createClientTransactions, migrate, openDatabase } from "../dist/index.js";
import { describeMatrix } from "../dist/testing.js";
import { startTransactionPooler } from "./transaction-pooler.js";
import { until } from "./until.js";

/** Keeps what is said at `warn`. */
function listeningLogger() {
  const warnings: string[] = [];
  const warn = (_fields: object, message: string) => {
    warnings.push(message);
  };
  const ignore = () => {};
  return { warnings, logger: { debug: ignore, info: ignore, warn, error: ignore } };
}

describeMatrix({ describe, beforeAll, afterAll }, ["postgres"], (databases) => {
  async function openPooled() {
    const { url } = await databases.open();
    const pooler = await startTransactionPooler(url as string);
    onTestFinished(() => pooler.close());
    return { direct: url as string, pooled: pooler.url };
  }

  it("gives up prepared statements, and says so once, behind a pooler that mixes them up", async () => {
    const { pooled } = await openPooled();
    const { warnings, logger } = listeningLogger();
    const database = await openDatabase(pooled, { logger });
    onTestFinished(() => database.close());
    const ask = async (number: number) => {
      expect(await database.query("select $1::int8 + 1 as sum", [number])).toEqual([{ sum: number + 1 }]);
    };
    for (let round = 0; round < 10; round++) await Promise.all([ask(round), ask(round), ask(round), ask(round)]);
    await database.transaction(async (transaction) => {
      for (let round = 0; round < 5; round++) await transaction.query("select $1::int8 as number", [round]);
    });
    expect(warnings).toEqual([expect.stringContaining("a pooler hands connections around")]);
  });

  it("prepares nothing any more on the caller's clients once a pooler has mixed statements up", async () => {
    const { pooled } = await openPooled();
    const pool = new pg.Pool({ connectionString: pooled, max: 5 });
    onTestFinished(() => pool.end());
    const transactionOn = createClientTransactions();
    const outcomes: string[] = [];
    for (let round = 0; round < 20; round++) {
      const client = await pool.connect();
      await client.query("begin");
      await transactionOn(client)
        .query("select $1::int8 as number", [round])
        .then(
          () => outcomes.push("done"),
          (error: { sqlState?: string }) => outcomes.push(error.sqlState ?? "none"),
        );
      await client.query("rollback");
      client.release();
    }
    expect(outcomes.filter((outcome) => outcome !== "done")).toHaveLength(1);
  });

  it("migrates behind a pooler that mixes prepared statements up", async () => {
    const { pooled } = await openPooled();
    const schema = "mixed_up";
    const migrations = Array.from({ length: 12 }, (_, number) => ({
      id: `000${number}-table`,
      up: (transaction: Transaction) => transaction.query(`create table ${schema}.t${number} (id int8)`).then(() => {}),
    }));
    const database = await openDatabase(pooled);
    onTestFinished(() => database.close());
    expect(await migrate(database, { schema, component: "shop", migrations })).toHaveLength(12);
  });

  it("says that notifications do not arrive behind a pooler, and hears them by listenUrl", async () => {
    const { direct, pooled } = await openPooled();
    const { warnings, logger } = listeningLogger();
    const unheard = expect.stringContaining("notifications do not reach the listening connection");

    const deaf = await openDatabase(pooled, { logger, prepare: false });
    await deaf.listen("news", () => {});
    await until(() => warnings.length > 0);
    expect(warnings).toEqual([unheard]);
    await deaf.close();

    const heard: string[] = [];
    const hearing = await openDatabase(pooled, { logger, prepare: false, listenUrl: direct });
    onTestFinished(() => hearing.close());
    await hearing.listen("news", (payload) => heard.push(payload));
    await hearing.query("select pg_notify('news', 'today')");
    await until(() => heard.includes("today"));
    expect(warnings).toEqual([unheard]);
  }, 30_000);
});
