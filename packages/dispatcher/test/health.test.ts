import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openDatabase } from "@hookline/postgres";
import { findPostgresBinaries, startPrivatePostgres } from "@hookline/postgres/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { createDispatcher } from "../src/index.js";
import { ENCRYPTION_KEY, openReceiver, until } from "./open-dispatcher.js";

describe.runIf(findPostgresBinaries() !== undefined)("a server of its own (needs initdb and postgres)", () => {
  it("says within seconds that the database hangs, is asked in vain for a second at most, and works again", {
    timeout: 60_000,
  }, async () => {
    const logged: string[] = [];
    const log = (level: string) => (_: object, message: string) => void logged.push(`${level} ${message}`);
    const logger = { debug() {}, info: log("info"), warn: log("warn"), error: log("error") };
    const server = await startPrivatePostgres();
    const database = await openDatabase(server.url);
    const dispatcher = createDispatcher({
      database,
      encryptionKey: ENCRYPTION_KEY,
      logger,
      pollMs: 100,
      addressGuard: { allow: ["127.0.0.0/8"], allowHttp: true },
    });
    let stopped: readonly number[] = [];
    const goOn = () => {
      for (const pid of stopped) process.kill(pid, "SIGCONT");
      stopped = [];
    };
    onTestFinished(async () => {
      goOn();
      await dispatcher.stop();
      await database.close();
      await server.stop();
    });
    await dispatcher.migrate();
    await dispatcher.start();
    const receiver = await openReceiver();
    await dispatcher.endpoints.create({ tenantId: "acme", target: { url: receiver.url }, events: ["*"] });
    expect((await dispatcher.health()).status).toBe("working");

    const [place] = await database.query<{ data_directory: string }>("show data_directory");
    const lines = readFileSync(join(place?.data_directory ?? "", "postmaster.pid"), "utf8").split("\n");
    const backends = await database.query<{ pid: number }>("select pid from pg_stat_activity");
    stopped = [Number(lines[0]), ...backends.map(({ pid }) => pid)];
    for (const pid of stopped) process.kill(pid, "SIGSTOP");
    const hung = await until(async () => {
      const health = await dispatcher.health();
      return health.status === "stalled" && health;
    });
    expect(hung.queue).toBeNull();
    const sinceMs = Date.now() - (hung.lastReadAt?.getTime() ?? 0);
    expect(sinceMs).toBeGreaterThan(5_000);
    // Nothing fails while it hangs: this is all that there is to read.
    await until(() => logged.some((line) => line.startsWith("error the delivery loop is stalled")), 5);

    goOn();
    await until(async () => (await dispatcher.health()).status === "working");
    await until(() => logged.includes("info the delivery loop works again"), 5);
    expect(logged.filter((line) => line.includes("is stalled"))).toHaveLength(1);
    await dispatcher.publish({ tenantId: "acme", type: "a.b", data: {} });
    await receiver.waitFor(1);
  });
});
