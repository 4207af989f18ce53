import { silentLogger } from "@hookline/core";
import { openDatabase } from "@hookline/postgres";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createDispatcher } from "../src/index.js";
import { ENCRYPTION_KEY, openDispatcher, openReceiver, until } from "./open-dispatcher.js";

const IN_FLIGHT = 500;
const TENANTS = Array.from({ length: 10 }, (_, number) => `tenant-${number}`);
const CONNECTIONS = 10;
const NAME = "hookline of this test";

describeMatrix({ describe, beforeAll, afterAll }, ["postgres"], (databases) => {
  it("A7 N5 holds no connection and no transaction while 500 requests are in flight", {
    timeout: 120_000,
  }, async () => {
    const { dispatcher: publisher, database: observer, schema, url = "" } = await openDispatcher(databases);
    // One more of them listens.
    const database = await openDatabase(url, { poolSize: CONNECTIONS - 1, applicationName: NAME });
    onTestFinished(() => database.close());
    const dispatcher = createDispatcher({
      database,
      schema,
      encryptionKey: ENCRYPTION_KEY,
      addressGuard: { allow: ["127.0.0.0/8"], allowHttp: true },
      timeoutMs: 60_000,
      leaseMs: 120_000,
      maxInFlight: 4 * IN_FLIGHT,
    });
    onTestFinished(() => dispatcher.stop());
    const opened = new Set<() => void>();
    const receiver = await openReceiver({
      answer: () => new Promise((resolve) => opened.add(() => resolve({ status: 204 }))),
    });
    // An endpoint that has not answered yet gets few slots, and a tenant a share: so it takes many of both.
    for (const tenantId of TENANTS) {
      for (let number = 0; number < IN_FLIGHT / TENANTS.length; number += 1) {
        await publisher.endpoints.create({ tenantId, target: { url: `${receiver.url}/${number}` }, events: ["*"] });
      }
      await publisher.publish({ tenantId, type: "a.b", data: {} });
    }
    await dispatcher.start();
    await receiver.waitFor(IN_FLIGHT, 60_000);

    // None of the 500 has an answer yet.
    const connections = () =>
      observer.query<{ state: string; xact_start: Date | null }>(
        "select state, xact_start from pg_stat_activity where application_name = $1",
        [NAME],
      );
    await until(async () => (await connections()).every(({ state }) => state === "idle"));
    for (let look = 0; look < 10; look += 1) {
      const seen = await connections();
      expect(seen.length).toBeGreaterThan(0);
      expect(seen.length).toBeLessThanOrEqual(CONNECTIONS);
      expect(seen.filter(({ state }) => state.startsWith("idle in transaction"))).toEqual([]);
    }
    expect(opened.size).toBe(IN_FLIGHT);
    // And a connection is there for others.
    expect(await database.query("select 1 as one")).toEqual([{ one: 1 }]);

    for (const open of opened) open();
    await until(async () => (await observer.query(`select 1 from ${schema}.queue`)).length === 0, 60);
    expect(receiver.requests).toHaveLength(IN_FLIGHT);
  });

  it("warns of a role whose statements are kept further apart than the dispatcher's are written for", async () => {
    const { dispatcher: common, schema, url = "", logged } = await openDispatcher(databases);
    const said = () => logged.filter(({ message }) => message.includes("default_transaction_isolation"));
    await common.start();
    expect(said()).toEqual([]);
    const serializable = new URL(url);
    serializable.searchParams.set("options", "-c default_transaction_isolation=serializable");
    const uncommon = await openDatabase(serializable.href);
    onTestFinished(() => uncommon.close());
    const logger = {
      ...silentLogger,
      warn: (fields: object, message: string) => logged.push({ level: "warn", message, fields }),
    };
    const dispatcher = createDispatcher({ database: uncommon, schema, encryptionKey: ENCRYPTION_KEY, logger });
    onTestFinished(() => dispatcher.stop());
    await dispatcher.start();
    expect(said()).toMatchObject([{ level: "warn", fields: { isolation: "serializable" } }]);
  });
});
