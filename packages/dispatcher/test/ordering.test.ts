import { AsyncResource } from "node:async_hooks";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EndpointPolicy } from "../src/index.js";
import { createStatements } from "../src/sql/statements.js";
import type { ReceivedRequest, Receiver, ReceiverAnswer } from "../src/testing.js";
import { type OpenedDispatcher, onlyOn, openDispatcher, openReceiver, TENANT, until } from "./open-dispatcher.js";

const QUICK = { delaysMs: [15, 15, 15, 15], jitterRatio: 0 };

interface Numbered {
  readonly key: string;
  readonly n: number;
}

const numbered = (key: string, n: number) => ({ tenantId: TENANT, type: "a.b", orderingKey: key, data: { key, n } });

function dataOf(request: ReceivedRequest): Numbered {
  return (request.json() as { data: Numbered }).data;
}

/** A receiver that counts how many requests of one key it has open at a time. */
async function openCounting(answer: (data: Numbered) => ReceiverAnswer) {
  const open = new Map<string, number>();
  const accepted: Numbered[] = [];
  let mostOpen = 0;
  const receiver = await openReceiver({
    async answer(request) {
      const data = dataOf(request);
      const count = (open.get(data.key) ?? 0) + 1;
      open.set(data.key, count);
      mostOpen = Math.max(mostOpen, count);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
      open.set(data.key, count - 1);
      const answered = answer(data);
      if ((answered.status ?? 200) < 300) accepted.push(data);
      return answered;
    },
  });
  return { receiver, accepted, mostOpen: () => mostOpen };
}

/** Pairs of one key where the later one was taken first. */
function inversions(taken: readonly Numbered[]): number {
  const last = new Map<string, number>();
  let count = 0;
  for (const { key, n } of taken) {
    if (n < (last.get(key) ?? -1)) count += 1;
    last.set(key, n);
  }
  return count;
}

function subscribe({ dispatcher }: OpenedDispatcher, receiver: Receiver, policy: EndpointPolicy) {
  return dispatcher.endpoints.create({ tenantId: TENANT, target: { url: receiver.url }, events: ["*"], policy });
}

async function untilEmpty({ database, schema }: OpenedDispatcher): Promise<void> {
  await until(async () => {
    const [row] = await database.query<{ n: number }>(`select count(*)::int as n from ${schema}.queue`);
    return row?.n === 0;
  });
}

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("N5 keeps the order of each key over several workers, with heads that fail and publishers at the same time", async () => {
    const opened = await openDispatcher(databases, { pollMs: 50 });
    const { dispatcher, another } = opened;
    const failures = new Set<string>();
    const { receiver, accepted, mostOpen } = await openCounting(({ key, n }) => {
      if (n % 4 !== 1 || failures.has(`${key} ${n}`)) return {};
      failures.add(`${key} ${n}`);
      return { status: 503 };
    });
    await subscribe(opened, receiver, { ordering: "block", retrySchedule: QUICK });
    const others = [another(), another()] as const;
    await Promise.all([dispatcher.start(), others[0].start()]);
    const keys = Array.from({ length: 8 }, (_, index) => `key-${index}`);
    const publishAll = async (key: string, publisher: (typeof others)[number]) => {
      for (let n = 0; n < 15; n += 1) {
        const event = numbered(key, n);
        if (n % 3 === 0) await publisher.transaction((transaction) => publisher.publish(event, { transaction }));
        else await publisher.publish(event);
      }
    };
    await Promise.all(keys.map((key, index) => publishAll(key, [dispatcher, ...others][index % 3] ?? dispatcher)));
    await untilEmpty(opened);
    expect(accepted).toHaveLength(8 * 15);
    expect(inversions(accepted)).toBe(0);
    expect(mostOpen()).toBe(1);
    expect(failures.size).toBe(8 * 4);
  });

  it("N5 delivers in the order of the commits when publishers of one key overlap", async () => {
    const opened = await openDispatcher(databases, { pollMs: 50 });
    const { dispatcher, another } = opened;
    const { receiver, accepted } = await openCounting(() => ({}));
    await subscribe(opened, receiver, { ordering: "block" });
    const publishers = [dispatcher, another(), another()];
    await Promise.all(publishers.slice(0, 2).map((publisher) => publisher.start()));
    // Whoever holds the lock of the key counts: the next one gets it with the commit.
    let committing = 0;
    await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        (publishers[index % 3] ?? dispatcher).transaction(async (transaction) => {
          await transaction.query("select pg_advisory_xact_lock(42)");
          committing += 1;
          await dispatcher.publish(numbered("one", committing), { transaction });
        }),
      ),
    );
    await untilEmpty(opened);
    expect(accepted.map(({ n }) => n)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
  });

  it("N5 block: nothing of the key passes a head that fails, until it is dead; other keys do", async () => {
    const opened = await openDispatcher(databases, { pollMs: 50 });
    const { receiver, accepted, mostOpen } = await openCounting(({ key, n }) =>
      key === "bad" && n === 0 ? { status: 500 } : {},
    );
    await subscribe(opened, receiver, { ordering: "block", retrySchedule: QUICK });
    await opened.dispatcher.start();
    for (let n = 0; n < 4; n += 1) {
      await opened.dispatcher.publishMany([numbered("bad", n), numbered("good", n)]);
    }
    await untilEmpty(opened);
    const bad = receiver.requests.map(dataOf).filter(({ key }) => key === "bad");
    expect(bad.map(({ n }) => n)).toEqual([0, 0, 0, 0, 0, 1, 2, 3]);
    expect(accepted.filter(({ key }) => key === "good").map(({ n }) => n)).toEqual([0, 1, 2, 3]);
    expect(mostOpen()).toBe(1);
  });

  it("N5 skip: while a head waits for its retry the next ones pass, never two of a key at once", async () => {
    const opened = await openDispatcher(databases, { pollMs: 50 });
    const failed = new Set<number>();
    const { receiver, accepted, mostOpen } = await openCounting(({ n }) => {
      if (n % 3 !== 0 || failed.has(n)) return {};
      failed.add(n);
      return { status: 500 };
    });
    await subscribe(opened, receiver, { ordering: "skip", retrySchedule: { delaysMs: [400, 400], jitterRatio: 0 } });
    await opened.dispatcher.publishMany(Array.from({ length: 12 }, (_, n) => numbered("one", n)));
    await Promise.all([opened.dispatcher.start(), opened.another().start()]);
    await untilEmpty(opened);
    expect(accepted.map(({ n }) => n).sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, n) => n));
    // The first one failed; the second did not wait for it.
    expect(receiver.requests.slice(0, 2).map((request) => dataOf(request).n)).toEqual([0, 1]);
    const firstTries = accepted.filter(({ n }) => n % 3 !== 0);
    expect(inversions(firstTries)).toBe(0);
    expect(mostOpen()).toBe(1);
  });

  it("N5 keeps the order of what was held while its endpoint was disabled", async () => {
    const opened = await openDispatcher(databases, { pollMs: 50 });
    const { receiver, accepted, mostOpen } = await openCounting(() => ({}));
    const endpoint = await subscribe(opened, receiver, { ordering: "block" });
    await opened.dispatcher.endpoints.disable(endpoint);
    await opened.dispatcher.publishMany(Array.from({ length: 90 }, (_, n) => numbered(`key-${n % 2}`, n)));
    await Promise.all([opened.dispatcher.start(), opened.another().start()]);
    await opened.dispatcher.endpoints.enable(endpoint);
    await untilEmpty(opened);
    expect(accepted).toHaveLength(90);
    expect(inversions(accepted)).toBe(0);
    expect(mostOpen()).toBe(1);
  });

  it("N5 passes the turn on where a worker went away between one delivery's end and the next one's turn", async () => {
    const opened = await openDispatcher(databases, { pollMs: 50 });
    const { dispatcher, database, schema } = opened;
    const { receiver, accepted } = await openCounting(() => ({}));
    await subscribe(opened, receiver, { ordering: "block" });
    await dispatcher.publishMany(Array.from({ length: 6 }, (_, n) => numbered(`key-${n % 2}`, n)));
    await database.query(`update ${schema}.queue set next_at = 'infinity'`);
    await dispatcher.start();
    await untilEmpty(opened);
    expect(accepted).toHaveLength(6);
    expect(inversions(accepted)).toBe(0);
  });

  it("N5 puts a delivery that is retried by hand behind what waits, and never beside another of its key", async () => {
    const opened = await openDispatcher(databases, { pollMs: 50 });
    const { dispatcher } = opened;
    let isDown = false;
    const { receiver, accepted, mostOpen } = await openCounting(() => (isDown ? { status: 503 } : {}));
    await subscribe(opened, receiver, { ordering: "block", retrySchedule: { delaysMs: [600, 600], jitterRatio: 0 } });
    await dispatcher.start();
    await dispatcher.publish(numbered("one", 0));
    await untilEmpty(opened);
    isDown = true;
    await dispatcher.publish(numbered("one", 1));
    await receiver.waitFor(2);
    const [first] = (await dispatcher.deliveries.list({ tenantId: TENANT, status: "delivered" })).deliveries;
    isDown = false;
    await dispatcher.deliveries.retry({ tenantId: TENANT, id: first?.id ?? "" });
    await untilEmpty(opened);
    expect(accepted.map(({ n }) => n)).toEqual([0, 1, 0]);
    expect(mostOpen()).toBe(1);
  });

  it("lets go of the order when the endpoint is deleted", async () => {
    const opened = await openDispatcher(databases, { pollMs: 50 });
    const { receiver } = await openCounting(() => ({}));
    const endpoint = await subscribe(opened, receiver, { ordering: "block" });
    await opened.dispatcher.publishMany(Array.from({ length: 30 }, (_, n) => numbered("one", n)));
    await opened.database.query(`delete from ${opened.schema}.endpoints where id = $1`, [endpoint.id]);
    await opened.dispatcher.start();
    await untilEmpty(opened);
    const { deliveries } = await opened.dispatcher.deliveries.list({ tenantId: TENANT });
    expect(new Set(deliveries.map(({ ending }) => ending))).toEqual(new Set(["endpoint_deleted"]));
    expect(receiver.requests).toEqual([]);
  });

  it("refuses an order that there is not", async () => {
    const opened = await openDispatcher(databases);
    const receiver = await openReceiver();
    await expect(subscribe(opened, receiver, { ordering: "fifo" } as object)).rejects.toMatchObject({
      code: "invalid_endpoint",
      issues: [{ path: "policy.ordering", message: 'is "block" or "skip"' }],
    });
  });

  it("gives one delivery of a key to many claims made at the same moment", async () => {
    const opened = await openDispatcher(databases);
    const { database, schema, dispatcher } = opened;
    for (const ordering of ["block", "skip"] as const) {
      await subscribe(opened, await openReceiver(), { ordering });
    }
    await dispatcher.publishMany(Array.from({ length: 30 }, (_, n) => numbered("one", n)));
    const { claimDeliveries } = createStatements(schema);
    const times = { now: "2100-01-01T00:00:00Z", leasedUntil: "2100-01-01T00:01:00Z", from: "-infinity" };
    const claims = await Promise.all(
      Array.from({ length: 12 }, () => claimDeliveries(database.query, { ...times, limit: 7 })),
    );
    const rest = await claimDeliveries(database.query, { ...times, limit: 100 });
    const rows = [...claims, rest].flatMap((claim) => claim.rows);
    expect(rows.map(({ body }) => (JSON.parse(body ?? "") as Numbered).n)).toEqual([0, 0]);
    expect(new Set(rows.map(({ endpoint_id: id }) => id)).size).toBe(2);
  });

  onlyOn(databases, "postgres")(
    "N5 a publication of the same key waits for the one that is not committed yet, of another key not",
    async () => {
      const opened = await openDispatcher(databases);
      const { dispatcher, another, database } = opened;
      await subscribe(opened, await openReceiver(), { ordering: "block" });
      const done: string[] = [];
      const second = another();
      let same: Promise<unknown> | undefined;
      const outside = AsyncResource.bind(<T>(fn: () => T): T => fn());
      await dispatcher.transaction(async (transaction) => {
        await dispatcher.publish(numbered("one", 0), { transaction });
        same = outside(() => second.publish(numbered("one", 1))).then(() => done.push("same key"));
        await outside(() => second.publish(numbered("two", 0))).then(() => done.push("other key"));
        await until(async () => {
          const waiting = await outside(() =>
            database.query("select 1 from pg_locks where locktype = 'advisory' and not granted"),
          );
          return waiting.length > 0;
        });
        done.push("commit");
      });
      await same;
      expect(done).toEqual(["other key", "commit", "same key"]);
    },
  );
});
