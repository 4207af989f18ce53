import { createClientTransactions } from "@hookline/postgres";
import { describeMatrix } from "@hookline/postgres/testing";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import {
  countRows,
  onlyOn,
  openDispatcher,
  openReceiver,
  openWaitingReceiver,
  subscribeReceiver,
  TENANT,
  until,
} from "./open-dispatcher.js";

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("answers for each event of publishEach what became of it, in order, and stores what is not refused", async () => {
    const opened = await openDispatcher(databases, {
      events: [
        { type: "ticket.created", schema: z.object({ n: z.number() }), description: "A ticket.", example: { n: 1 } },
      ],
      maxEventBytes: 1_000,
    });
    const { dispatcher } = opened;
    const event = (n: unknown, more: object = {}) => ({
      tenantId: TENANT,
      type: "ticket.created",
      data: { n },
      ...more,
    });
    const first = await dispatcher.publish(event(1, { idempotencyKey: "k1" }));
    const batch = [
      event(2, { idempotencyKey: "k2" }),
      event("not a number"),
      event(1, { idempotencyKey: "k1" }),
      event(3, { idempotencyKey: "k1" }),
      event(2, { idempotencyKey: "k2" }),
      { ...event(4), type: "a.b", data: "x".repeat(2_000) },
      { ...event(4), type: "Not A Type!" },
      event(5, { id: "evt_same" }),
      event(5, { id: "evt_same" }),
    ];
    const outcomes = await dispatcher.transaction((transaction) => dispatcher.publishEach(batch, { transaction }));
    const [second] = outcomes;
    expect(outcomes.map((one) => (one.status === "refused" ? one.code : [one.id, one.duplicate]))).toEqual([
      [second?.status === "published" ? second.id : "", false],
      "invalid_event",
      [first.id, true],
      "idempotency_conflict",
      [second?.status === "published" ? second.id : "", true],
      "event_too_large",
      "invalid_event",
      ["evt_same", false],
      "invalid_event",
    ]);
    expect(await countRows(opened, "events")).toBe(3);
    expect(await dispatcher.publishEach([])).toEqual([]);
    expect(await dispatcher.publishEach([event(6)])).toEqual([expect.objectContaining({ duplicate: false })]);
  });

  it("W5 sends an event to every matching active endpoint of its tenant, and to no other", async () => {
    const { dispatcher } = await openDispatcher(databases);
    await dispatcher.start();
    const receiver = await openReceiver();
    const endpoint = (name: string, events: string[], more: object = {}) =>
      dispatcher.endpoints.create({
        tenantId: TENANT,
        name,
        target: { url: `${receiver.url}/${name}` },
        events,
        ...more,
      });
    await endpoint("exact", ["ticket.created"]);
    await endpoint("below", ["ticket.*"]);
    await endpoint("all", ["*"]);
    await endpoint("other-type", ["ticket.closed", "ticket"]);
    await endpoint("inactive", ["*"], { active: false });
    await endpoint("other-tenant", ["*"], { tenantId: "globex" });
    await dispatcher.publish({ tenantId: TENANT, type: "ticket.created", data: {} });
    const { deliveries } = await until(async () => {
      const page = await dispatcher.deliveries.list({ tenantId: TENANT, status: "delivered" });
      return page.deliveries.length === 3 && page;
    });
    expect(deliveries.every((delivery) => delivery.attempts === 1)).toBe(true);
    expect(receiver.requests.map((request) => request.path).sort()).toEqual([
      "/webhooks/all",
      "/webhooks/below",
      "/webhooks/exact",
    ]);
  });

  it("N1 an event by itself leaves the rows that it leaves among others, while a worker runs and while none does", async () => {
    const opened = await openDispatcher(databases);
    const { dispatcher, database, schema } = opened;
    const { receiver } = await openWaitingReceiver({ status: 204 });
    await subscribeReceiver(dispatcher, receiver, ["*"]);
    const silent = await subscribeReceiver(dispatcher, receiver, ["ticket.*"]);
    await dispatcher.endpoints.disable({ tenantId: TENANT, id: silent.id });
    await subscribeReceiver(dispatcher, receiver, ["user.*"]);
    const event = (idempotencyKey: string) => ({
      tenantId: TENANT,
      type: "ticket.created",
      subjectId: "t1",
      timestamp: new Date("2026-03-04T05:06:07.089Z"),
      data: { n: 1 },
      idempotencyKey,
    });
    const rowsOf = async (keys: readonly string[]) => {
      const rows = await database.query<object>(
        `select event.type, event.subject_id, event.occurred_at, event.body, event.trace_context,
           event.stored_at > now() - interval '1 hour' as is_stored, queue.tenant_id, queue.endpoint_id, queue.state,
           queue.leased, queue.lease_no, queue.attempt, queue.next_at > event.stored_at as is_later,
           length(queue.id) as length
         from ${schema}.events event join ${schema}.queue on queue.event_id = event.id
         where event.idempotency_key = any($1) order by event.idempotency_key, queue.state`,
        [keys],
      );
      return { ofOne: rows.slice(0, 2), all: rows };
    };
    const compare = async (name: string) => {
      const alone = await dispatcher.publish(event(`${name} 1`));
      expect(await dispatcher.publish(event(`${name} 1`))).toEqual({ id: alone.id, duplicate: true });
      await dispatcher.publishMany([event(`${name} 2`), event(`${name} 3`)]);
      const { ofOne, all } = await rowsOf([1, 2, 3].map((number) => `${name} ${number}`));
      expect(all).toEqual([...ofOne, ...ofOne, ...ofOne]);
      return ofOne;
    };
    expect(await compare("in line")).toMatchObject([
      { state: 0, leased: false, lease_no: 1, is_later: false },
      { state: 1, leased: false, is_later: false },
    ]);
    await dispatcher.start();
    expect(await compare("leased")).toMatchObject([
      { state: 0, leased: true, lease_no: 1, is_later: true },
      { state: 1, leased: false, is_later: false },
    ]);
    expect(await dispatcher.publish({ ...event("nobody's"), tenantId: "other" })).toMatchObject({ duplicate: false });
  });

  it("N1 a rolled-back publish leaves no event and no delivery, and sends nothing", async () => {
    const opened = await openDispatcher(databases, { destinations: [{ id: "work", plan: () => null }] });
    const { dispatcher } = opened;
    await dispatcher.start();
    const receiver = await openReceiver();
    await subscribeReceiver(dispatcher, receiver);
    const rolledBack = dispatcher.transaction(async (transaction) => {
      await dispatcher.publish({ tenantId: TENANT, type: "a.b", data: { n: 1 } }, { transaction });
      await dispatcher.send({ tenantId: TENANT, destination: "work", target: null, data: {} }, { transaction });
      throw new Error("no");
    });
    await expect(rolledBack).rejects.toThrow("no");
    expect([
      await countRows(opened, "events"),
      await countRows(opened, "queue"),
      await countRows(opened, "messages"),
    ]).toEqual([0, 0, 0]);
    // What comes after it arrives, and it alone.
    await dispatcher.publish({ tenantId: TENANT, type: "a.b", data: { n: 2 } });
    const [request] = await receiver.waitFor(1);
    expect(request?.json()).toMatchObject({ data: { n: 2 } });
    await until(async () => (await countRows(opened, "queue")) === 0);
    expect(receiver.requests).toHaveLength(1);
  });

  it("N1 what was rolled back to a savepoint is never sent, and what was published around it is", async () => {
    const opened = await openDispatcher(databases, {
      pollMs: 3_600_000,
      destinations: [{ id: "work", plan: () => ({ kind: "run", run: () => Promise.reject(new Error("sent")) }) }],
    });
    const { dispatcher } = opened;
    await dispatcher.start();
    const receiver = await openReceiver();
    await subscribeReceiver(dispatcher, receiver);
    const event = (n: number) => ({ tenantId: TENANT, type: "a.b", data: { n } });
    await dispatcher.transaction(async (transaction) => {
      await dispatcher.publish(event(1), { transaction });
      await transaction.query("savepoint s");
      await dispatcher.publish(event(2), { transaction });
      await dispatcher.publishMany([event(3)], { transaction });
      await dispatcher.send({ tenantId: TENANT, destination: "work", target: null, data: {} }, { transaction });
      await transaction.query("rollback to savepoint s");
      await dispatcher.publish(event(4), { transaction });
    });
    await receiver.waitFor(2);
    await until(async () => (await countRows(opened, "queue")) === 0);
    await dispatcher.stop();
    expect(receiver.requests.map((request) => (request.json() as { data: { n: number } }).data.n).sort()).toEqual([
      1, 4,
    ]);
    expect([await countRows(opened, "events"), await countRows(opened, "messages")]).toEqual([2, 0]);
    expect(opened.logged).toEqual([]);
  });

  it("N1 a committed publish gives event and deliveries together, handed over right after the commit", async () => {
    const opened = await openDispatcher(databases, { pollMs: 3_600_000 });
    const { dispatcher } = opened;
    await dispatcher.start();
    const receiver = await openReceiver();
    await subscribeReceiver(dispatcher, receiver);
    const published = await dispatcher.transaction(async (transaction) => {
      const answer = await dispatcher.publish(
        { tenantId: TENANT, type: "a.b", data: { n: 1 }, subjectId: "contact_1" },
        { transaction },
      );
      const rows = await transaction.query(`select id from ${opened.schema}.queue`);
      expect(rows).toHaveLength(1);
      expect(receiver.requests).toHaveLength(0);
      return answer;
    });
    const [request] = await receiver.waitFor(1);
    expect(request).toMatchObject({ verified: true, headers: { "webhook-id": published.id } });
    expect(await dispatcher.events.get({ tenantId: TENANT, id: published.id })).toMatchObject({
      id: published.id,
      type: "a.b",
      subjectId: "contact_1",
      data: { n: 1 },
    });
  });

  onlyOn(databases, "postgres")("N1 publishes inside a transaction of the caller's own pg client", async () => {
    const opened = await openDispatcher(databases, { pollMs: 3_600_000 });
    const { dispatcher } = opened;
    await dispatcher.start();
    const receiver = await openReceiver();
    await subscribeReceiver(dispatcher, receiver);
    const client = new pg.Client({ connectionString: opened.url });
    await client.connect();
    onTestFinished(() => client.end());
    const transaction = {
      query: async <Row>(text: string, params?: readonly unknown[]) =>
        (await client.query(text, params as unknown[])).rows as Row[],
    };
    await client.query(`create table ${opened.schema}.orders (id int)`);

    await client.query("begin");
    await client.query(`insert into ${opened.schema}.orders values (1)`);
    await dispatcher.publish({ tenantId: TENANT, type: "order.created", data: { id: 1 } }, { transaction });
    await client.query("rollback");
    expect([
      await countRows(opened, "events"),
      await countRows(opened, "queue"),
      await countRows(opened, "orders"),
    ]).toEqual([0, 0, 0]);

    await client.query("begin");
    await client.query(`insert into ${opened.schema}.orders values (2)`);
    const published = await dispatcher.publish(
      { tenantId: TENANT, type: "order.created", data: { id: 2 } },
      { transaction },
    );
    expect(await countRows(opened, "events")).toBe(0);
    await client.query("commit");
    // Nobody calls handOver and the poll is an hour away: the notification of the commit wakes the worker.
    const [request] = await receiver.waitFor(1);
    expect(request?.headers["webhook-id"]).toBe(published.id);
    expect(await countRows(opened, "orders")).toBe(1);
  });

  onlyOn(databases, "postgres")(
    "N1 finds what many transactions of the caller's leave at once, also those that commit late",
    async () => {
      const opened = await openDispatcher(databases, { pollMs: 3_600_000 });
      const receiver = await openReceiver();
      await subscribeReceiver(opened.dispatcher, receiver);
      await opened.dispatcher.start();
      const pool = new pg.Pool({ connectionString: opened.url, max: 8 });
      onTestFinished(() => pool.end());
      const transactionOn = createClientTransactions();
      const publishIn = async (n: number, commitAfter: Promise<unknown>) => {
        const client = await pool.connect();
        await client.query("begin");
        const event = { tenantId: TENANT, type: "order.created", data: { n } };
        const { id } = await opened.dispatcher.publish(event, { transaction: transactionOn(client) });
        await commitAfter;
        await client.query("commit");
        client.release();
        return id;
      };
      const early = await Promise.all(Array.from({ length: 20 }, (_, n) => publishIn(n, Promise.resolve())));
      // The last of them commits when the others are there already.
      const late = await publishIn(20, receiver.waitFor(20));
      const requests = await receiver.waitFor(21);
      expect(requests.map(({ headers }) => headers["webhook-id"]).sort()).toEqual([...early, late].sort());
    },
  );

  it("refuses data that do not fit the catalogue, with the field's path, and stores what the schema gives back", async () => {
    const { dispatcher } = await openDispatcher(databases, {
      events: [
        {
          type: "ticket.created",
          schema: z.object({ customer: z.object({ email: z.email() }), priority: z.number().default(1) }),
          description: "A ticket was opened.",
          example: { customer: { email: "a@example.com" }, priority: 1 },
        },
      ],
    });
    const event = { tenantId: TENANT, type: "ticket.created", data: { customer: { email: "nobody" } } };
    await expect(dispatcher.publish(event)).rejects.toMatchObject({
      code: "invalid_event",
      issues: [{ path: "data.customer.email" }],
    });
    const { id } = await dispatcher.publish({ ...event, data: { customer: { email: "a@example.com" }, extra: 1 } });
    const stored = await dispatcher.events.get({ tenantId: TENANT, id });
    expect(stored?.data).toEqual({ customer: { email: "a@example.com" }, priority: 1 });
    // A type that the catalogue does not name is taken as it is.
    expect((await dispatcher.publish({ ...event, type: "other.thing" })).duplicate).toBe(false);
  });

  it.each([
    { what: "a type with spaces", wrong: { type: "no good" }, path: "type" },
    { what: "an empty tenant", wrong: { tenantId: "" }, path: "tenantId" },
    { what: "a control character in the key", wrong: { idempotencyKey: "a\u001eb" }, path: "idempotencyKey" },
    { what: "an id with a dot", wrong: { id: "evt.1" }, path: "id" },
    { what: "an invalid time", wrong: { timestamp: new Date(Number.NaN) }, path: "timestamp" },
    { what: "a time after the year 9999", wrong: { timestamp: new Date(253_402_300_800_000) }, path: "timestamp" },
    { what: "a time before the year 1", wrong: { timestamp: new Date(-62_135_596_800_001) }, path: "timestamp" },
    { what: "missing data", wrong: { data: undefined }, path: "data" },
    { what: "data that are no JSON", wrong: { data: 1n }, path: "data" },
    { what: "data over the limit", wrong: { data: "é".repeat(140_000) }, path: "data", code: "event_too_large" },
  ])("refuses $what", async ({ wrong, path, code = "invalid_event" }) => {
    const opened = await openDispatcher(databases);
    const event = { tenantId: TENANT, type: "a.b", data: {}, ...wrong };
    await expect(opened.dispatcher.publish(event)).rejects.toMatchObject({ code, issues: [{ path }] });
    expect(await countRows(opened, "events")).toBe(0);
  });

  it("keeps the data as text, byte for byte, and sends them so", async () => {
    const opened = await openDispatcher(databases);
    const { dispatcher } = opened;
    await dispatcher.start();
    const receiver = await openReceiver();
    await subscribeReceiver(dispatcher, receiver);
    const data = { b: 1, a: { text: "ü \u0000 \u001e \ud800 </script>", list: [1.0, -0, 1e21, null] } };
    await dispatcher.publish({ tenantId: TENANT, type: "a.b", data, timestamp: new Date("2026-01-02T03:04:05.006Z") });
    const [request] = await receiver.waitFor(1);
    expect(request?.body).toBe(`{"type":"a.b","timestamp":"2026-01-02T03:04:05.006Z","data":${JSON.stringify(data)}}`);
    expect(request?.verified).toBe(true);
    const [column] = await opened.database.query(`select pg_typeof(body)::text as type from ${opened.schema}.events`);
    expect(column).toEqual({ type: "text" });
  });

  it("fails loudly when the insert fails", async () => {
    const opened = await openDispatcher(databases);
    await opened.dispatcher.start();
    await opened.database.query(`alter table ${opened.schema}.events add constraint nothing check (type <> 'a.b')`);
    const event = { tenantId: TENANT, type: "a.b", data: {} };
    await expect(opened.dispatcher.publish(event)).rejects.toMatchObject({ sqlState: "23514" });
    await expect(opened.dispatcher.publishMany([event, { ...event, type: "a.c" }])).rejects.toThrow();
    expect(await countRows(opened, "events")).toBe(0);
  });

  it("delivers what was published while no worker ran", async () => {
    const { dispatcher, another } = await openDispatcher(databases);
    const receiver = await openReceiver();
    await subscribeReceiver(dispatcher, receiver);
    await dispatcher.publishMany([1, 2, 3].map((n) => ({ tenantId: TENANT, type: "a.b", data: { n } })));
    await another().start();
    const requests = await receiver.waitFor(3);
    expect(requests.map((request) => (request.json() as { data: { n: number } }).data.n).sort()).toEqual([1, 2, 3]);
  });

  it("lists a tenant's events newest first, by subject and type, page by page", async () => {
    const { dispatcher } = await openDispatcher(databases);
    const at = (n: number) => ({ tenantId: TENANT, timestamp: new Date(Date.UTC(2026, 0, n)), data: { n } });
    await dispatcher.publishMany([
      { ...at(3), type: "a.c", subjectId: "con_1" },
      { ...at(1), type: "a.b", subjectId: "con_1" },
      { ...at(2), type: "a.b", subjectId: "con_2" },
      { ...at(4), type: "a.b", tenantId: "globex", subjectId: "con_1" },
    ]);
    const list = async (query: object) =>
      (await dispatcher.events.list({ tenantId: TENANT, ...query })).events.map(
        (event) => (event.data as { n: number }).n,
      );
    expect(await list({})).toEqual([3, 2, 1]);
    expect(await list({ subjectIds: ["con_1"] })).toEqual([3, 1]);
    expect(await list({ subjectIds: ["con_1", "con_2"], type: "a.b" })).toEqual([2, 1]);
    expect(await list({ subjectIds: [] })).toEqual([]);
    const first = await dispatcher.events.list({ tenantId: TENANT, limit: 2 });
    expect(await list({ cursor: first.nextCursor })).toEqual([1]);
    await expect(list({ cursor: "rubbish" })).rejects.toMatchObject({ code: "invalid_cursor" });
    await expect(list({ limit: 0 })).rejects.toMatchObject({ code: "invalid_query" });
  });
});
