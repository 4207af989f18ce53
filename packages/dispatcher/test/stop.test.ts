import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { type Destination, defineDestination } from "@hookline/core";
import { openDatabase } from "@hookline/postgres";
import { describeMatrix, findPostgresBinaries, startPrivatePostgres } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createDispatcher } from "../src/index.js";
import { ENCRYPTION_KEY, openDispatcher, TENANT, until } from "./open-dispatcher.js";

const EVENT = { tenantId: TENANT, type: "a.b", data: {} };

/** Runs that wait until they are let go, one after another for the endpoint's only entity. */
function createWork() {
  let begun = 0;
  let open: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const destination = defineDestination<null>({
    id: "work",
    entityOf: () => "one",
    plan: () => ({
      kind: "run",
      async run() {
        begun += 1;
        await gate;
        return { outcome: "delivered", state: { begun } };
      },
    }),
  }) as Destination;
  return { destination, begun: () => begun, open: () => open() };
}

const subscription = { key: "k", tenantId: TENANT, destination: "work", events: ["*"], target: null };

/** Passes everything on to a server, until it holds back all that comes, as a network does that has gone away. */
async function createProxy(targetUrl: string) {
  const target = new URL(targetUrl);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(target.port || 5432), target.hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => sockets.delete(socket));
    }
    near.pipe(far).pipe(near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const url = new URL(targetUrl);
  url.hostname = "127.0.0.1";
  url.port = String(typeof address === "object" ? address?.port : 0);
  return {
    url: url.href,
    holdBack() {
      for (const socket of sockets) socket.unpipe().pause();
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("gives back what was handed over at the moment of the stop and has not begun", async () => {
    const work = createWork();
    const { dispatcher, database, schema } = await openDispatcher(databases, { destinations: [work.destination] });
    await dispatcher.start();
    await dispatcher.subscribe(subscription);
    // One by itself would have begun.
    await dispatcher.publishMany([EVENT, EVENT]);
    await dispatcher.stop();
    expect(work.begun()).toBe(0);
    const waiting = { state: 0, leased: false, attempt: 0 };
    expect(await database.query(`select state, leased, attempt from "${schema}".queue`)).toEqual([waiting, waiting]);
  });

  it("begins nothing any more that waited for its turn when the time limit of stop was over", async () => {
    const work = createWork();
    const { dispatcher } = await openDispatcher(databases, { destinations: [work.destination], stopTimeoutMs: 50 });
    await dispatcher.subscribe(subscription);
    await dispatcher.start();
    await dispatcher.publishMany([EVENT, EVENT, EVENT]);
    await until(() => work.begun() === 1);
    await dispatcher.stop();
    work.open();
    const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT });
    expect(deliveries.map(({ status, attempts }) => [status, attempts])).toEqual([
      ["pending", 0],
      ["pending", 0],
      ["pending", 0],
    ]);
    expect(work.begun()).toBe(1);
  });
});

describeMatrix({ describe, beforeAll, afterAll }, ["postgres"], (databases) => {
  it("stops in time when the database does not answer any more", async () => {
    const work = createWork();
    const { another, dispatcher, url } = await openDispatcher(databases, { destinations: [work.destination] });
    await dispatcher.subscribe(subscription);
    const proxy = await createProxy(url ?? "");
    const database = await openDatabase(proxy.url);
    const sender = another({ database, stopTimeoutMs: 300, pollMs: 20 } as object);
    onTestFinished(async () => {
      proxy.close();
      await database.close();
    });
    await sender.start();
    await sender.publish(EVENT);
    await until(() => work.begun() === 1);
    proxy.holdBack();
    work.open();
    const startedAt = performance.now();
    await sender.stop();
    proxy.close();
    expect(performance.now() - startedAt).toBeLessThan(6_000);
  });
});

describe.skipIf(findPostgresBinaries() === undefined)("a Postgres that is killed (needs initdb and postgres)", () => {
  it("stops in time, and its deliveries are made when the database is back", { timeout: 60_000 }, async () => {
    const server = await startPrivatePostgres();
    onTestFinished(() => server.stop());
    const database = await openDatabase(server.url);
    onTestFinished(() => database.close());
    const work = createWork();
    const options = {
      database,
      encryptionKey: ENCRYPTION_KEY,
      destinations: [work.destination],
      stopTimeoutMs: 300,
      timeoutMs: 1_000,
      leaseMs: 1_500,
    };
    const dispatcher = createDispatcher(options);
    await dispatcher.migrate();
    await dispatcher.subscribe(subscription);
    await dispatcher.start();
    await dispatcher.publishMany([EVENT, EVENT, EVENT]);
    await until(() => work.begun() === 1);
    await server.kill();
    // The outcome of the first cannot be written, and the others wait for it.
    work.open();
    const startedAt = performance.now();
    await dispatcher.stop();
    expect(performance.now() - startedAt).toBeLessThan(6_000);
    expect(work.begun()).toBe(1);
    await server.restart();
    const next = createDispatcher(options);
    onTestFinished(() => next.stop());
    await until(() =>
      next.start().then(
        () => true,
        () => false,
      ),
    );
    await until(async () => {
      const { deliveries } = await next.deliveries.list({ tenantId: TENANT, status: "delivered" });
      return deliveries.length === 3;
    });
  });
});
