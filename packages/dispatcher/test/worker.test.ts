import { openDatabase } from "@hookline/postgres";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createDispatcher } from "../src/index.js";
import { createStatements } from "../src/sql/statements.js";
import { createVirtualClock, type ReceiverAnswer } from "../src/testing.js";
import {
  ENCRYPTION_KEY,
  onlyOn,
  openDispatcher,
  openReceiver,
  subscribeReceiver,
  TENANT,
  until,
  untilDelivery,
} from "./open-dispatcher.js";

const EVENT = { tenantId: TENANT, type: "a.b", data: {} };

/** Answers that wait until they are let go. */
function createGate() {
  let open: (answer: ReceiverAnswer) => void = () => {};
  const answer = new Promise<ReceiverAnswer>((resolve) => {
    open = resolve;
  });
  return { answer: () => answer, open: () => open({ status: 200 }) };
}

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("sends each delivery once when several workers claim from the same queue", async () => {
    const { dispatcher, another } = await openDispatcher(databases);
    const receiver = await openReceiver();
    await subscribeReceiver(dispatcher, receiver);
    const published = await dispatcher.publishMany(Array.from({ length: 300 }, (_, n) => ({ ...EVENT, data: { n } })));
    await Promise.all([dispatcher.start(), another().start(), another().start()]);
    await until(async () => {
      const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT, status: "pending" });
      return deliveries.length === 0;
    });
    expect(receiver.requests.map(({ headers }) => headers["webhook-id"]).sort()).toEqual(
      published.map(({ id }) => id).sort(),
    );
  });

  it("gives each delivery to one of many claims made at the same moment", async () => {
    const { dispatcher, database, schema } = await openDispatcher(databases);
    await subscribeReceiver(dispatcher, await openReceiver());
    await dispatcher.publishMany(Array.from({ length: 200 }, () => EVENT));
    const { claimDeliveries } = createStatements(schema);
    const times = { now: "2100-01-01T00:00:00Z", leasedUntil: "2100-01-01T00:01:00Z", from: "-infinity" };
    const params = { ...times, limit: 50 };
    const claimed = await Promise.all(Array.from({ length: 8 }, () => claimDeliveries(database.query, params)));
    const ids = claimed.flatMap(({ rows }) => rows.map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
    // And what one claim skipped because another held it is there for the next.
    const { rows: rest } = await claimDeliveries(database.query, { ...params, limit: 200 });
    expect(ids.length + rest.length).toBe(200);
  });

  it("N1 does not record for a worker that lost its lease", async () => {
    const clock = createVirtualClock();
    const { dispatcher, another, logged } = await openDispatcher(databases, { clock });
    const gates = [createGate(), createGate()];
    const receiver = await openReceiver({
      answer: () => gates[receiver.requests.length - 1]?.answer() ?? { status: 500 },
    });
    await subscribeReceiver(dispatcher, receiver);
    await dispatcher.start();
    await dispatcher.publish(EVENT);
    await receiver.waitFor(1);
    // The other one's clock says that the lease has run out, while the first still waits for its answer.
    await another({ clock: createVirtualClock(clock.now() + 61_000) }).start();
    await receiver.waitFor(2);
    gates[0]?.open();
    await until(() => logged.some(({ message }) => message.startsWith("the lease was lost")));
    expect(await untilDelivery(dispatcher, () => true)).toMatchObject({ status: "pending", attempts: 0, log: [] });
    gates[1]?.open();
    expect(await untilDelivery(dispatcher, ({ status }) => status === "delivered")).toMatchObject({
      attempts: 1,
      log: [{ attempt: 1, outcome: "delivered" }],
    });
  });

  it("claims nothing after stop, and lets the attempt in flight end", async () => {
    const { dispatcher } = await openDispatcher(databases);
    const gate = createGate();
    const receiver = await openReceiver({ answer: gate.answer });
    await subscribeReceiver(dispatcher, receiver);
    await dispatcher.start();
    await dispatcher.publish(EVENT);
    await receiver.waitFor(1);
    const stopped = Promise.all([dispatcher.stop(), dispatcher.stop()]);
    await dispatcher.publish({ ...EVENT, type: "late" });
    gate.open();
    await stopped;
    const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT });
    expect(deliveries.map(({ eventType, status }) => [eventType, status])).toEqual([
      ["late", "pending"],
      ["a.b", "delivered"],
    ]);
    expect(receiver.requests).toHaveLength(1);
    expect((await dispatcher.health()).status).toBe("stopped");
    await dispatcher.start();
    await receiver.waitFor(2);
  });

  it("gives back what does not end within the time limit of stop, for the next worker to take at once", async () => {
    const { dispatcher, another } = await openDispatcher(databases, { stopTimeoutMs: 50, maxInFlight: 4 });
    const gate = createGate();
    const receiver = await openReceiver({ answer: gate.answer });
    await subscribeReceiver(dispatcher, receiver);
    await dispatcher.start();
    await dispatcher.publishMany(Array.from({ length: 20 }, () => EVENT));
    await receiver.waitFor(1);
    await dispatcher.stop();
    const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT });
    expect(deliveries).toHaveLength(20);
    const dueMs = Math.max(...deliveries.map(({ nextAttemptAt }) => nextAttemptAt?.getTime() ?? Number.NaN));
    expect(dueMs).toBeLessThanOrEqual(Date.now());
    expect(deliveries.every(({ status, attempts }) => status === "pending" && attempts === 0)).toBe(true);
    gate.open();
    await another().start();
    await until(async () => {
      const page = await dispatcher.deliveries.list({ tenantId: TENANT, status: "delivered" });
      return page.deliveries.length === 20;
    });
  });

  it.each(["in memory", "in the queue"])(
    "N5 one endpoint that hangs does not hold up the others (%s)",
    async (where) => {
      const { dispatcher } = await openDispatcher(databases, { maxInFlight: 16, pollMs: 50 });
      const gate = createGate();
      const hanging = await openReceiver({ answer: gate.answer });
      const healthy = await openReceiver();
      await subscribeReceiver(dispatcher, hanging, ["hang"]);
      await subscribeReceiver(dispatcher, healthy, ["fine"]);
      if (where === "in memory") await dispatcher.start();
      // More than may wait in memory for one endpoint, and all of it before the first that is fine.
      for (let batch = 0; batch < 3; batch += 1) {
        await dispatcher.publishMany(Array.from({ length: 150 }, () => ({ ...EVENT, type: "hang" })));
      }
      await dispatcher.publishMany(Array.from({ length: 60 }, () => ({ ...EVENT, type: "fine" })));
      if (where === "in the queue") await dispatcher.start();
      await healthy.waitFor(60, 25_000);
      expect(hanging.requests.length).toBeLessThan(16);
      gate.open();
      // And nothing of it is lost: also what was set aside meanwhile.
      await hanging.waitFor(450, 25_000);
      await until(async () => {
        const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT, status: "pending" });
        return deliveries.length === 0;
      });
      expect(hanging.requests).toHaveLength(450);
      expect(healthy.requests).toHaveLength(60);
    },
  );

  it("N5 endpoints that hang with more waiting than memory holds do not hold up the others", async () => {
    const { dispatcher } = await openDispatcher(databases, { pollMs: 50 });
    const gate = createGate();
    const hanging = await openReceiver({ answer: gate.answer });
    const healthy = await openReceiver();
    const hang = Array.from({ length: 25 }, (_, n) => `hang${n}`);
    for (const type of hang) await subscribeReceiver(dispatcher, hanging, [type]);
    await subscribeReceiver(dispatcher, healthy, ["fine"]);
    await dispatcher.start();
    for (const type of hang) await dispatcher.publishMany(Array.from({ length: 100 }, () => ({ ...EVENT, type })));
    await dispatcher.publishMany(Array.from({ length: 60 }, () => ({ ...EVENT, type: "fine" })));
    await healthy.waitFor(60, 25_000);
    gate.open();
    await hanging.waitFor(2_500, 40_000);
    expect(hanging.requests).toHaveLength(2_500);
    expect(healthy.requests).toHaveLength(60);
  });

  it("N5 forgets nothing that is set aside while the queue is being asked for what was set aside before", async () => {
    // Its clock stands still: no sweep finds what was forgotten.
    const opened = await openDispatcher(databases, { clock: createVirtualClock() });
    let asked = 0;
    const gates = [createGate(), createGate(), createGate()] as const;
    const slow = {
      ...opened.database,
      async query(text: string, params: readonly unknown[] = []) {
        const isAsking = text.includes("waiting.endpoint_id = $4");
        if (isAsking) asked += 1;
        if (!isAsking || asked > 1) return opened.database.query(text, params);
        // As if another worker had just taken all of it.
        const rows = await opened.database.query(text, params.with(3, "ep_of_nobody"));
        await gates[2].answer();
        return rows;
      },
    };
    const dispatcher = opened.another({ database: slow } as object);
    const receiver = await openReceiver({ answer: () => gates[receiver.requests.length <= 65 ? 0 : 1].answer() });
    await subscribeReceiver(dispatcher, receiver);
    await dispatcher.start();
    const queued = async () => {
      const [row] = await opened.database.query<{ n: number; aside: number }>(
        `select count(*)::int as n, (count(*) filter (where state = 2))::int as aside from ${opened.schema}.queue`,
      );
      return row ?? { n: 0, aside: 0 };
    };
    const publish = (count: number) => dispatcher.publishMany(Array.from({ length: count }, () => EVENT));
    // 64 wait in memory while the endpoint is looked up for the first, as it has not answered yet.
    await publish(340);
    await until(async () => (await queued()).aside === 275);
    gates[0].open();
    await until(() => asked === 1);
    await receiver.waitFor(65, 25_000);
    const held = async () => {
      const { inFlight, waiting } = await dispatcher.health();
      return inFlight + waiting;
    };
    await until(async () => (await held()) === 0 && (await queued()).n === 275);
    const before = await queued();
    await publish(400);
    // What does not fit into memory is set aside.
    await until(async () => {
      const [{ n, aside }, inMemory] = [await queued(), await held()];
      return n === before.n + 400 && aside > before.aside && aside + inMemory === before.aside + 400;
    });
    gates[1].open();
    await until(async () => (await held()) === 0);
    gates[2].open();
    await until(async () => (await queued()).n === 0);
    expect(receiver.requests).toHaveLength(740);
  });

  it("takes over what a worker that is gone had set aside, and ends what is held for nobody", async () => {
    const { dispatcher, database, schema } = await openDispatcher(databases);
    const receiver = await openReceiver();
    await subscribeReceiver(dispatcher, receiver, ["aside"]);
    const { id } = await subscribeReceiver(dispatcher, receiver, ["orphan"]);
    const events = ["aside", "orphan", "aside", "orphan"].map((type) => ({ ...EVENT, type }));
    await dispatcher.publishMany(events);
    await database.query(`update ${schema}.queue set state = 2`);
    await database.query(`delete from ${schema}.endpoints where id = $1`, [id]);
    await dispatcher.start();
    const ended = await until(async () => {
      const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT });
      return deliveries.every(({ endedAt }) => endedAt !== null) && deliveries;
    });
    expect(ended.map(({ eventType, ending }) => `${eventType} ${ending}`).sort()).toEqual([
      "aside delivered",
      "aside delivered",
      "orphan endpoint_deleted",
      "orphan endpoint_deleted",
    ]);
  });

  it("starts no worker before the tables are there, and says what to call", async () => {
    const { database, schema } = await databases.open();
    const dispatcher = createDispatcher({ database, schema, encryptionKey: ENCRYPTION_KEY });
    onTestFinished(() => dispatcher.stop());
    await expect(dispatcher.start()).rejects.toMatchObject({
      code: "not_migrated",
      message: expect.stringContaining("await migrate() before start()"),
    });
    await dispatcher.stop();
    await dispatcher.migrate();
    await dispatcher.start();
    expect(await dispatcher.health()).toMatchObject({ status: "working" });
  });

  it("says in its health when the loop cannot read the queue, and when it can again", async () => {
    const clock = createVirtualClock();
    const { dispatcher, database, schema } = await openDispatcher(databases, { clock });
    expect(await dispatcher.health()).toMatchObject({
      status: "stopped",
      lastReadAt: null,
      queue: { due: 0, held: 0 },
    });
    await dispatcher.start();
    await expect(dispatcher.start()).rejects.toMatchObject({ code: "already_started" });
    const endpoint = await subscribeReceiver(dispatcher, await openReceiver());
    await dispatcher.endpoints.update(endpoint, { active: false });
    await dispatcher.publish(EVENT);
    expect(await dispatcher.health()).toMatchObject({ status: "working", queue: { due: 0, held: 1 } });
    await database.query(`alter table ${schema}.queue rename to away`);
    await until(async () => {
      clock.advance(1_000);
      return (await dispatcher.health()).status === "stalled";
    });
    expect((await dispatcher.health()).queue).toBeNull();
    await database.query(`alter table ${schema}.away rename to queue`);
    await until(async () => {
      clock.advance(1_000);
      return (await dispatcher.health()).status === "working";
    });
  });

  it("goes on when it is woken from inside somebody's transaction", async () => {
    const { dispatcher, logged } = await openDispatcher(databases, { pollMs: 3_600_000 });
    await dispatcher.start();
    const receiver = await openReceiver();
    await subscribeReceiver(dispatcher, receiver);
    await dispatcher.transaction(async (transaction) => {
      await dispatcher.publish(EVENT, { transaction });
      dispatcher.handOver();
    });
    await untilDelivery(dispatcher, ({ status }) => status === "delivered");
    expect(logged).toEqual([]);
  });

  onlyOn(databases, "pglite")("vacuums the queue where no autovacuum runs", async () => {
    const clock = createVirtualClock();
    const { dispatcher, database, schema, logged } = await openDispatcher(databases, { clock });
    await subscribeReceiver(dispatcher, await openReceiver());
    await dispatcher.publish(EVENT);
    await dispatcher.start();
    // -1 until a first vacuum or analyze.
    const counted = async () =>
      (
        await database.query<{ n: number }>(
          `select reltuples as n from pg_class where oid = '${schema}.queue'::regclass`,
        )
      )[0]?.n;
    expect(await counted()).toBe(-1);
    await until(async () => {
      clock.advance(1_000);
      return (await counted()) !== -1;
    });
    expect(logged).toEqual([]);
  });

  onlyOn(databases, "postgres")("holds no connection and no transaction while requests are in flight", async () => {
    const { dispatcher, another, database, url } = await openDispatcher(databases);
    const small = await openDatabase(url ?? "", { poolSize: 2, applicationName: "small pool" });
    const gate = createGate();
    const receiver = await openReceiver({ answer: gate.answer });
    for (let n = 0; n < 80; n += 1) {
      await dispatcher.endpoints.create({ tenantId: TENANT, target: { url: receiver.url }, events: ["*"] });
    }
    await dispatcher.publishMany(Array.from({ length: 4 }, () => EVENT));
    const sender = another({ database: small } as object);
    onTestFinished(async () => {
      gate.open();
      await sender.stop();
      await small.close();
    });
    await sender.start();
    await receiver.waitFor(240, 25_000);
    const sessions = await database.query<{ state: string }>(
      "select state from pg_stat_activity where application_name = 'small pool'",
    );
    expect(sessions.length).toBeLessThanOrEqual(3);
    expect(sessions.filter(({ state }) => state !== "idle")).toEqual([]);
  });
});
