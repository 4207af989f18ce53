import type { Destination, SqlQuery } from "@hookline/core";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createStatements } from "../src/sql/statements.js";
import { createVirtualClock } from "../src/testing.js";
import { openDispatcher, openReceiver, TENANT, until } from "./open-dispatcher.js";

const LATER = { delaysMs: [3_600_000], jitterRatio: 0 };
const numbered = (n: number) => ({ tenantId: TENANT, type: "a.b", orderingKey: "one", data: { n } });

// Time stands still here: what a sweep or a poll finds later shows nothing.
describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("N5 block: passes the turn on at once when the payload of a head is expunged that waits for its retry", async () => {
    const { dispatcher } = await openDispatcher(databases, { clock: createVirtualClock() });
    const receiver = await openReceiver({
      answer: (request) => ({ status: request.body.includes('"n":0') ? 503 : 200 }),
      toleranceSeconds: Number.POSITIVE_INFINITY,
    });
    const policy = { ordering: "block", retrySchedule: LATER } as const;
    await dispatcher.endpoints.create({ tenantId: TENANT, target: { url: receiver.url }, events: ["*"], policy });
    await dispatcher.start();
    const head = await dispatcher.publish(numbered(0));
    await until(async () => (await deliveries()).some(({ attempts }) => attempts === 1));
    await dispatcher.publishMany([numbered(1), numbered(2)]);
    // Both were looked at, and put off.
    await until(async () => (await deliveries()).filter(({ nextAttemptAt }) => nextAttemptAt === null).length === 2);
    expect(receiver.requests).toHaveLength(1);
    await dispatcher.events.expunge({ tenantId: TENANT, id: head.id });
    await until(() => receiver.requests.length === 3);

    async function deliveries() {
      return (await dispatcher.deliveries.list({ tenantId: TENANT })).deliveries;
    }
  });

  it("N5 skip: lets the next ones pass a head that waits since its target cannot be decrypted", async () => {
    const { dispatcher, another } = await openDispatcher(databases, { clock: createVirtualClock() });
    const policy = { ordering: "skip", retrySchedule: LATER } as const;
    const target = { url: (await openReceiver()).url };
    await dispatcher.endpoints.create({ tenantId: TENANT, target, events: ["*"], policy });
    await dispatcher.publishMany([numbered(0), numbered(1), numbered(2)]);
    await another({ encryptionKey: Buffer.alloc(32, 8).toString("base64") }).start();
    await until(async () => {
      const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT });
      return deliveries.every(({ attempts }) => attempts === 1);
    });
  });

  it("N5 skip: lets the next ones pass a head whose destination has it wait when its retry is due", async () => {
    const clock = createVirtualClock();
    const tries: string[] = [];
    let goOn = () => {};
    const gate = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const work: Destination = {
      id: "work",
      async plan(event, { attempt }) {
        const { n } = event.data as { readonly n: number };
        tries.push(`${n} ${attempt}`);
        if (n === 1) return null;
        if (attempt === 1) return { kind: "run", run: async () => ({ outcome: "retry", retryInMs: 1_000 }) };
        await gate;
        return { kind: "wait", waitMs: 3_600_000 };
      },
    };
    const { dispatcher } = await openDispatcher(databases, { clock, destinations: [work] });
    const endpoint = { tenantId: TENANT, destination: "work", target: null, events: ["*"] };
    await dispatcher.endpoints.create({ ...endpoint, policy: { ordering: "skip" } });
    await dispatcher.start();
    await dispatcher.publish(numbered(0));
    await until(() => tries.includes("0 1"));
    const deliveries = async () => (await dispatcher.deliveries.list({ tenantId: TENANT })).deliveries;
    await until(async () => (await deliveries())[0]?.attempts === 1);
    clock.advance(1_000);
    await until(() => tries.includes("0 2"));
    await dispatcher.publish(numbered(1));
    // It was looked at, and put off behind the one that a worker has.
    await until(async () => (await deliveries())[0]?.nextAttemptAt === null);
    goOn();
    await until(() => tries.includes("1 1"));
  });

  it("N5 skip: claims without stepping over all that waits for a retry in front of each one", async () => {
    const { dispatcher, database, schema } = await openDispatcher(databases);
    const policy = { ordering: "skip" } as const;
    const target = { url: "https://example.com/" };
    const { id } = await dispatcher.endpoints.create({ tenantId: TENANT, target, events: ["*"], policy });
    const [retries, fresh] = [5_000, 50];
    await database.query(`
      insert into ${schema}.queue
        (id, event_id, endpoint_id, tenant_id, state, leased, lease_no, attempt, next_at, ordering_key, position)
      select 'dlv_' || n, 'evt_' || n, '${id}', '${TENANT}', 0, false, 1, (n <= ${retries})::integer,
        case when n <= ${retries} then '2100-01-01' else '2020-01-01' end::timestamptz, 'one', n
      from generate_series(1, ${retries + fresh}) as t(n)`);
    await database.query(`analyze ${schema}.queue`);
    const plans: string[] = [];
    const explain = async (text: string, params?: readonly unknown[]) => {
      const [row] = await database.query(`explain (analyze, format json) ${text}`, params);
      plans.push(JSON.stringify(row));
      return [];
    };
    const times = { now: "2030-01-01T00:00:00Z", leasedUntil: "2030-01-01T00:01:00Z", from: "-infinity" };
    await createStatements(schema).claimDeliveries(explain as SqlQuery, { ...times, limit: 200 });
    const steppedOver = [...(plans[0] ?? "").matchAll(/"Actual Loops":(\d+)[^{}]*?"Rows Removed by Filter":(\d+)/g)];
    expect(steppedOver.length).toBeGreaterThan(0);
    for (const [, loops, rows] of steppedOver) expect(Number(loops) * Number(rows)).toBeLessThan(retries * 2);
    const [leased] = await database.query(`select id from ${schema}.queue where leased`);
    expect(leased).toEqual({ id: `dlv_${retries + 1}` });
  });
});
