import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { openDatabase } from "@hookline/postgres";
import { describeMatrix, findPostgresBinaries, startPrivatePostgres } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createDispatcher } from "../src/index.js";
import { createVirtualClock, type ReceiverAnswer } from "../src/testing.js";
import {
  ENCRYPTION_KEY,
  openDispatcher,
  openReceiver,
  subscribeReceiver,
  TENANT,
  until,
  untilDelivery,
} from "./open-dispatcher.js";

const EVENT = { tenantId: TENANT, type: "ticket.created", data: {} };
const ONCE = { delaysMs: [] };

/** Answers 200 at once, and then a body without an end. */
async function openDrip() {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    request.resume();
    response.writeHead(200);
    const drip = setInterval(() => response.write("."), 10);
    response.on("close", () => clearInterval(drip));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, requests: () => requests };
}

/** What other dispatchers are known to do wrong, and no other test here would notice. */
describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("time limit on the headers only: a body that never ends hangs no worker and is no reason to send again", {
    timeout: 60_000,
  }, async () => {
    const options = { timeoutMs: 3_000, leaseMs: 12_000, maxInFlight: 1, pollMs: 50 };
    const { dispatcher, another } = await openDispatcher(databases, options);
    const drip = await openDrip();
    const healthy = await openReceiver();
    await dispatcher.endpoints.create({ tenantId: TENANT, target: { url: drip.url }, events: ["slow"] });
    await subscribeReceiver(dispatcher, healthy, ["fine"]);
    await dispatcher.start();
    const { id } = await dispatcher.publish({ ...EVENT, type: "slow" });
    await until(() => drip.requests() === 1);
    // Its only slot is taken until the time limit frees it.
    await dispatcher.publish({ ...EVENT, type: "fine" });
    await healthy.waitFor(1, 25_000);
    await another().start();
    const [slow] = await until(async () => {
      const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT, eventId: id });
      return deliveries[0]?.endedAt !== null && deliveries;
    });
    expect(slow).toMatchObject({ status: "delivered", attempts: 1 });
    expect(drip.requests()).toBe(1);
  });

  it.each(["with a worker", "without one"])(
    "commit first, enqueue after: what cannot be put in the queue is refused and not stored (%s)",
    async (how) => {
      const { dispatcher, database, schema } = await openDispatcher(databases);
      await subscribeReceiver(dispatcher, await openReceiver());
      dispatcher.use({ id: "work", plan: () => null });
      if (how === "with a worker") await dispatcher.start();
      await database.query(`alter table ${schema}.queue add constraint nothing check (state < 0) not valid`);
      const refused = { sqlState: "23514" };
      await expect(dispatcher.publish(EVENT)).rejects.toMatchObject(refused);
      await expect(dispatcher.publish({ ...EVENT, orderingKey: "k" })).rejects.toMatchObject(refused);
      await expect(dispatcher.publishMany([EVENT, EVENT])).rejects.toMatchObject(refused);
      await expect(dispatcher.publishEach([EVENT])).rejects.toMatchObject(refused);
      const message = { tenantId: TENANT, destination: "work", target: null, data: {} };
      await expect(dispatcher.send(message)).rejects.toMatchObject(refused);
      for (const table of ["events", "messages"]) {
        expect(await database.query(`select id from ${schema}.${table}`)).toEqual([]);
      }
    },
  );

  it("recovery that pages on one column and sorts on another: finds all whose times and ids run against each other", async () => {
    const { dispatcher, database, schema } = await openDispatcher(databases);
    const target = { url: "http://127.0.0.1:9" };
    const { id } = await dispatcher.endpoints.create({ tenantId: TENANT, target, events: ["*"], active: false });
    await database.query(`insert into ${schema}.events (id, tenant_id, type, occurred_at, stored_at, body)
      values ('evt_dead', '${TENANT}', 'a.b', now(), now(), '{}')`);
    const count = 1_201;
    await database.query(
      `insert into ${schema}.attempts (delivery_id, attempt, lease_no, tenant_id, endpoint_id, event_id, started_at,
         duration_ms, outcome, ending, status)
       select 'dlv_0kd3x5a00' || lpad(n::text, 20, '0'), 1, 1, '${TENANT}', $1, 'evt_dead',
         now() - n * interval '1 second', 1, 'retry', 'exhausted', 503
       from generate_series(1, $2::integer) as t(n)`,
      [id, count],
    );
    await dispatcher.start();
    const task = await dispatcher.recover({ tenantId: TENANT, endpointId: id, since: new Date(0) });
    const ended = await until(async () => {
      const found = await dispatcher.recoveries.get({ tenantId: TENANT, id: task.id });
      return found?.status === "completed" && found;
    });
    expect(ended).toMatchObject({ matched: count, requeued: count });
    expect(await database.query(`select count(distinct id)::integer as count from ${schema}.queue`)).toEqual([
      { count },
    ]);
  });

  it("3xx counted as success: no answer of the 300s is one, and none is followed", async () => {
    const { dispatcher } = await openDispatcher(databases, { retrySchedule: ONCE });
    const elsewhere = await openReceiver();
    const statuses = [300, 301, 302, 303, 304, 307, 308];
    for (const status of statuses) {
      const receiver = await openReceiver({ answer: () => ({ status, headers: { location: elsewhere.url } }) });
      await subscribeReceiver(dispatcher, receiver);
    }
    await dispatcher.start();
    await dispatcher.publish(EVENT);
    const dead = await until(async () => {
      const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT, status: "dead" });
      return deliveries.length === statuses.length && deliveries;
    });
    const logs = await Promise.all(dead.map((one) => dispatcher.deliveries.get(one)));
    const log = logs.flatMap((one) => one?.log ?? []);
    expect(log.map(({ status }) => status).sort()).toEqual(statuses);
    expect(new Set(log.map(({ errorCode }) => errorCode))).toEqual(new Set(["redirect"]));
    expect(elsewhere.requests).toEqual([]);
  });

  it.each(["127.0.0.1", "::ffff:127.0.0.1"])(
    "private addresses reachable: sends nothing to a name that leads to %s",
    async (address) => {
      const { dispatcher } = await openDispatcher(databases, {
        retrySchedule: ONCE,
        addressGuard: { allowHttp: true, resolve: async () => [{ address, family: address.includes(":") ? 6 : 4 }] },
      });
      const receiver = await openReceiver();
      const url = receiver.url.replace("127.0.0.1", "innocent.example");
      await dispatcher.endpoints.create({ tenantId: TENANT, target: { url }, events: ["*"] });
      await dispatcher.start();
      await dispatcher.publish(EVENT);
      const dead = await untilDelivery(dispatcher, ({ status }) => status === "dead");
      expect(dead.log).toMatchObject([{ errorCode: "address_refused", status: null }]);
      expect(receiver.requests).toEqual([]);
    },
  );

  it("alerts that show credentials: operational events, hooks, health and the log hold none", async () => {
    const told: unknown[] = [];
    const tell = (report: unknown) => void told.push(report);
    const { dispatcher, logged } = await openDispatcher(databases, {
      retrySchedule: ONCE,
      hooks: { onAttempt: tell, onDeliveryExhausted: tell, onEndpointDisabled: tell },
    });
    const secret = `whsec_${Buffer.alloc(32, 5).toString("base64")}`;
    const make = async (status: number | null) => {
      const receiver = await openReceiver({
        answer: ({ headers }) => ({
          status: status ?? 200,
          body: `body-hush ${headers["webhook-signature"]} ${secret}`,
        }),
      });
      const { host } = new URL(receiver.url);
      // Without a status, nobody listens there any more.
      if (status === null) await receiver.close();
      await dispatcher.endpoints.create({
        tenantId: TENANT,
        target: { url: `http://${host}/path-hush?key=query-hush`, headers: { authorization: "Bearer header-hush" } },
        events: ["ticket.*"],
        secret,
      });
      return receiver;
    };
    const failing = [await make(500), await make(302), await make(410), await make(null)];
    const alerts = await openReceiver();
    await subscribeReceiver(dispatcher, alerts, ["endpoint.*", "delivery.*"]);
    await dispatcher.start();
    await dispatcher.publish(EVENT);
    await until(() => alerts.requests.length === 5);
    await until(
      async () => (await dispatcher.deliveries.list({ tenantId: TENANT, status: "pending" })).deliveries.length === 0,
    );
    const health = await dispatcher.health();
    await dispatcher.stop();
    expect(told.length).toBeGreaterThanOrEqual(8);
    const shown = inspect({ bodies: alerts.requests.map(({ body }) => body), told, logged, health }, { depth: 12 });
    const signatures = failing.flatMap(({ requests }) => requests.map(({ headers }) => headers["webhook-signature"]));
    expect(signatures).toHaveLength(3);
    for (const hidden of ["hush", "Bearer", secret, secret.slice(6), ...signatures]) {
      expect(shown).not.toContain(hidden);
    }
  });

  it("a worker that stops silently while the API answers 202: health says so, and nothing accepted is forgotten", async () => {
    const clock = createVirtualClock();
    const opened = await openDispatcher(databases, { clock });
    let isBroken = false;
    let broken = 0;
    const claimsBreak = {
      ...opened.database,
      query(text: string, params?: readonly unknown[]) {
        if (isBroken && text.includes("summary.chosen")) {
          broken += 1;
          return Promise.reject(new Error("The claim broke."));
        }
        return opened.database.query(text, params);
      },
    };
    const worker = opened.another({ database: claimsBreak } as object);
    const api = opened.dispatcher;
    const receiver = await openReceiver({ toleranceSeconds: Number.POSITIVE_INFINITY });
    await subscribeReceiver(api, receiver);
    await worker.start();
    await api.publish(EVENT);
    await receiver.waitFor(1);
    isBroken = true;
    // A claim that began before is over then.
    await until(() => {
      clock.advance(1_000);
      return broken > 0;
    });
    const accepted = await Promise.all([api.publish(EVENT), api.publish(EVENT)]);
    await until(async () => {
      clock.advance(1_000);
      return (await worker.health()).status === "stalled";
    });
    expect(opened.logged).toContainEqual(
      expect.objectContaining({ level: "error", message: "the queue could not be read" }),
    );
    expect(receiver.requests).toHaveLength(1);
    isBroken = false;
    await until(() => {
      clock.advance(1_000);
      return receiver.requests.length === 3;
    });
    expect(
      receiver.requests
        .slice(1)
        .map(({ headers }) => headers["webhook-id"])
        .sort(),
    ).toEqual(accepted.map(({ id }) => id).sort());
    expect((await worker.health()).status).toBe("working");
  });
});

describe.skipIf(findPostgresBinaries() === undefined)("a server of its own (needs initdb and postgres)", () => {
  it("a restart that leaves the worker hanging: the same worker records, listens and delivers when the database is back", {
    timeout: 90_000,
  }, async () => {
    const server = await startPrivatePostgres();
    onTestFinished(() => server.stop());
    const open = async () => {
      const database = await openDatabase(server.url);
      const dispatcher = createDispatcher({
        database,
        encryptionKey: ENCRYPTION_KEY,
        // Only a notification wakes it in time: a listener that is not made anew leaves it asleep.
        pollMs: 3_600_000,
        addressGuard: { allow: ["127.0.0.0/8"], allowHttp: true },
      });
      onTestFinished(async () => {
        await dispatcher.stop();
        await database.close();
      });
      return dispatcher;
    };
    const worker = await open();
    const api = await open();
    await worker.migrate();
    let letGo: (answer: ReceiverAnswer) => void = () => {};
    const answer = new Promise<ReceiverAnswer>((resolve) => {
      letGo = resolve;
    });
    const receiver = await openReceiver({ answer: () => answer });
    await subscribeReceiver(api, receiver);
    await worker.start();
    await api.publish(EVENT);
    await receiver.waitFor(1, 25_000);
    await server.kill();
    letGo({ status: 200 });
    await expect(api.publish(EVENT)).rejects.toMatchObject({ name: "DatabaseError" });
    await server.restart();
    // What was in flight is written down after all, and not sent again.
    await until(async () => {
      const page = await api.deliveries.list({ tenantId: TENANT, status: "delivered" }).catch(() => null);
      return page?.deliveries.length === 1;
    }, 40);
    expect(receiver.requests).toHaveLength(1);
    for (const count of [2, 3]) {
      await api.publish(EVENT);
      await receiver.waitFor(count, 25_000);
    }
    expect((await worker.health()).status).toBe("working");
  });
});
