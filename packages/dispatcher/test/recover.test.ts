import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Dispatcher, Recovery } from "../src/index.js";
import { createVirtualClock } from "../src/testing.js";
import {
  ENCRYPTION_KEY,
  type OpenedDispatcher,
  openDispatcher,
  openReceiver,
  TENANT,
  until,
} from "./open-dispatcher.js";

const LONG_AGO = new Date(0);
const ONCE = { retrySchedule: { delaysMs: [] } };
const program = fileURLToPath(new URL("./programs/recover-worker.mjs", import.meta.url));

const ended = (dispatcher: Dispatcher, { id }: Recovery) =>
  until(async () => {
    const found = await dispatcher.recoveries.get({ tenantId: TENANT, id });
    return found !== null && found.status !== "running" && found;
  });

/** Dead deliveries, all made in one millisecond, written as a worker would have left them. */
async function makeDead({ database, schema }: OpenedDispatcher, endpointId: string, count: number): Promise<void> {
  await database.query(`insert into ${schema}.events (id, tenant_id, type, occurred_at, stored_at, body)
    values ('evt_dead', '${TENANT}', 'ticket.created', now(), now(), '{}')`);
  await database.query(
    `insert into ${schema}.attempts (delivery_id, attempt, lease_no, tenant_id, endpoint_id, event_id, started_at,
       duration_ms, outcome, ending, status)
     select 'dlv_0kd3x5a00' || substr(md5(n::text), 1, 20), 1, 1, '${TENANT}', $1, 'evt_dead', now(), 1, 'retry',
       'exhausted', 503
     from generate_series(1, $2::integer) as t(n)`,
    [endpointId, count],
  );
}

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  const open = async (options: Parameters<typeof openDispatcher>[1] = ONCE) => {
    const opened = await openDispatcher(databases, options);
    let status = 503;
    const receiver = await openReceiver({
      answer: () => ({ status }),
      toleranceSeconds: Number.POSITIVE_INFINITY,
    });
    const { dispatcher } = opened;
    const endpoint = await dispatcher.endpoints.create({
      tenantId: TENANT,
      target: { url: receiver.url },
      events: ["*"],
    });
    const publish = (type = "ticket.created") => dispatcher.publish({ tenantId: TENANT, type, data: {} });
    const answer = (next: number) => {
      status = next;
    };
    const count = async (of: "dead" | "held" | "delivered") => {
      const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT, status: of, limit: 200 });
      return deliveries.length;
    };
    return { ...opened, receiver, endpoint, publish, answer, count };
  };

  it("N4 recovers what is dead of a range of time, under the same webhook-id, and leaves the rest", async () => {
    const clock = createVirtualClock();
    const { dispatcher, receiver, endpoint, publish, answer, count } = await open({ ...ONCE, clock });
    await dispatcher.start();
    await publish();
    clock.advance(1_000);
    const since = new Date(clock.now());
    const wanted = [await publish(), await publish()];
    clock.advance(1_000);
    const untilTime = new Date(clock.now());
    await publish();
    await until(async () => (await count("dead")) === 4);
    answer(200);
    const started = await dispatcher.recover({ tenantId: TENANT, endpointId: endpoint.id, since, until: untilTime });
    expect(started).toMatchObject({ status: "running", of: "dead", matched: 0, requeued: 0, endedAt: null });
    expect(await ended(dispatcher, started)).toMatchObject({ status: "completed", matched: 2, requeued: 2 });
    await until(async () => (await count("delivered")) === 2);
    expect(await count("dead")).toBe(2);
    const ids = receiver.requests.slice(4).map(({ headers }) => headers["webhook-id"]);
    expect(ids.sort()).toEqual(wanted.map(({ id }) => id).sort());
    expect((await dispatcher.recoveries.list({ tenantId: TENANT })).recoveries).toMatchObject([{ id: started.id }]);
  });

  it("N4 sends delivered ones again when asked to, and all of them", async () => {
    const { dispatcher, receiver, endpoint, publish, answer, count } = await open();
    await dispatcher.start();
    await publish();
    await until(async () => (await count("dead")) === 1);
    answer(200);
    await publish();
    await until(async () => (await count("delivered")) === 1);
    const input = { tenantId: TENANT, endpointId: endpoint.id, since: LONG_AGO };
    await ended(dispatcher, await dispatcher.recover({ ...input, status: "delivered" }));
    await until(() => receiver.requests.length === 3);
    await until(async () => (await count("delivered")) === 1);
    const all = await ended(dispatcher, await dispatcher.recover({ ...input, status: "all" }));
    expect(all).toMatchObject({ matched: 2, requeued: 2 });
    await until(() => receiver.requests.length === 5);
  });

  it("N4 holds what it recovers for a disabled endpoint, and sends it once that is enabled", async () => {
    const { dispatcher, receiver, endpoint, publish, answer, count } = await open();
    await dispatcher.start();
    await publish();
    await until(async () => (await count("dead")) === 1);
    const id = { tenantId: TENANT, id: endpoint.id };
    await dispatcher.endpoints.disable(id);
    const input = { tenantId: TENANT, endpointId: endpoint.id, since: LONG_AGO };
    await expect(dispatcher.recover({ ...input, status: "held" })).rejects.toMatchObject({ code: "endpoint_disabled" });
    await ended(dispatcher, await dispatcher.recover(input));
    expect(await count("held")).toBe(1);
    answer(200);
    await dispatcher.endpoints.enable(id);
    await until(async () => (await count("delivered")) === 1);
    expect(receiver.requests).toHaveLength(2);
  });

  it("N4 skips none of many deliveries of one and the same time, and meets none twice", async () => {
    const opened = await open();
    const { dispatcher, endpoint, database, schema } = opened;
    await makeDead(opened, endpoint.id, 1_701);
    await dispatcher.endpoints.disable({ tenantId: TENANT, id: endpoint.id });
    await dispatcher.start();
    const task = await dispatcher.recover({ tenantId: TENANT, endpointId: endpoint.id, since: LONG_AGO });
    expect(await ended(dispatcher, task)).toMatchObject({ matched: 1_701, requeued: 1_701 });
    expect(await database.query(`select count(*)::int4 as count from ${schema}.queue where first_attempt = 1`)).toEqual(
      [{ count: 1_701 }],
    );
    const again = await dispatcher.recover({ tenantId: TENANT, endpointId: endpoint.id, since: LONG_AGO });
    expect(await ended(dispatcher, again)).toMatchObject({ matched: 0, requeued: 0 });
  });

  it("is taken up by a worker that starts later, and by no other once it is cancelled", async () => {
    const opened = await open();
    const { dispatcher, another, endpoint, count } = opened;
    await makeDead(opened, endpoint.id, 10);
    await dispatcher.endpoints.disable({ tenantId: TENANT, id: endpoint.id });
    const input = { tenantId: TENANT, endpointId: endpoint.id, since: LONG_AGO };
    const cancelled = await dispatcher.recover(input);
    expect(await dispatcher.recoveries.cancel({ tenantId: TENANT, id: cancelled.id })).toMatchObject({
      status: "cancelled",
      endedAt: expect.any(Date),
    });
    await another().start();
    const task = await dispatcher.recover({ ...input, until: new Date() });
    expect(await ended(dispatcher, task)).toMatchObject({ status: "completed", requeued: 10 });
    expect(await dispatcher.recoveries.get({ tenantId: TENANT, id: cancelled.id })).toMatchObject({ requeued: 0 });
    expect(await dispatcher.recoveries.cancel({ tenantId: TENANT, id: task.id })).toMatchObject({
      status: "completed",
    });
    expect(await count("held")).toBe(10);
  });

  it("ends at the next page when it is cancelled on its way, and another one goes on with what it left", async () => {
    const opened = await open();
    const { dispatcher, endpoint, database, schema } = opened;
    const total = 20_000;
    await makeDead(opened, endpoint.id, total);
    await dispatcher.endpoints.disable({ tenantId: TENANT, id: endpoint.id });
    await dispatcher.start();
    const input = { tenantId: TENANT, endpointId: endpoint.id, since: LONG_AGO };
    const task = await dispatcher.recover(input);
    const asked = { tenantId: TENANT, id: task.id };
    await until(async () => ((await dispatcher.recoveries.get(asked))?.requeued ?? 0) > 0);
    const cancelled = await dispatcher.recoveries.cancel(asked);
    expect(cancelled).toMatchObject({ status: "cancelled" });
    expect(cancelled.requeued).toBeLessThan(total);
    const rest = await ended(dispatcher, await dispatcher.recover(input));
    expect(rest).toMatchObject({ status: "completed", requeued: total - cancelled.requeued });
    expect(await dispatcher.recoveries.get(asked)).toEqual(cancelled);
    expect(await database.query(`select count(*)::int4 as count from ${schema}.queue`)).toEqual([{ count: total }]);
  });

  it("ends with its endpoint", async () => {
    const opened = await open();
    const { dispatcher, endpoint } = opened;
    await makeDead(opened, endpoint.id, 3);
    const task = await dispatcher.recover({ tenantId: TENANT, endpointId: endpoint.id, since: LONG_AGO });
    await dispatcher.endpoints.delete({ tenantId: TENANT, id: endpoint.id });
    await dispatcher.start();
    expect(await ended(dispatcher, task)).toMatchObject({ status: "cancelled", requeued: 0 });
  });

  it("refuses another tenant's endpoint, no range of time and an unknown status", async () => {
    const { dispatcher, endpoint } = await open();
    const input = { tenantId: TENANT, endpointId: endpoint.id, since: LONG_AGO };
    await expect(dispatcher.recover({ ...input, tenantId: "globex" })).rejects.toMatchObject({
      code: "endpoint_not_found",
    });
    for (const wrong of [
      { since: new Date(Number.NaN) },
      { until: new Date(Number.NaN) },
      { until: LONG_AGO },
      { since: new Date(Date.now() + 60_000) },
      { status: "lost" as "dead" },
    ]) {
      await expect(dispatcher.recover({ ...input, ...wrong })).rejects.toMatchObject({ code: "invalid_query" });
    }
    const task = await dispatcher.recover(input);
    expect(await dispatcher.recoveries.get({ tenantId: "globex", id: task.id })).toBeNull();
    await expect(dispatcher.recoveries.cancel({ tenantId: "globex", id: task.id })).rejects.toMatchObject({
      code: "recovery_not_found",
    });
  });
});

describeMatrix({ describe, beforeAll, afterAll }, ["postgres"], (databases) => {
  it("N1 N4 survives the death of each process that works at it, and puts nothing back twice", async () => {
    const opened = await openDispatcher(databases, ONCE);
    const { dispatcher, database, schema, url = "" } = opened;
    const endpoint = await dispatcher.endpoints.create({
      tenantId: TENANT,
      target: { url: "http://127.0.0.1:9" },
      events: ["*"],
      active: false,
    });
    const count = 30_000;
    await makeDead(opened, endpoint.id, count);
    const task = await dispatcher.recover({ tenantId: TENANT, endpointId: endpoint.id, since: LONG_AGO });
    const requeued = async () => (await dispatcher.recoveries.get({ tenantId: TENANT, id: task.id }))?.requeued ?? 0;
    let kills = 0;
    for (; kills < 3; kills++) {
      const before = await requeued();
      const child = spawn(process.execPath, [program, url, schema, ENCRYPTION_KEY], { stdio: "ignore" });
      await until(async () => (await requeued()) > before);
      child.kill("SIGKILL");
      await once(child, "exit");
      if ((await requeued()) === count) break;
    }
    expect(kills).toBeGreaterThan(0);
    await dispatcher.start();
    expect(await ended(dispatcher, task)).toMatchObject({ status: "completed", matched: count, requeued: count });
    expect(await database.query(`select count(*)::int4 as count from ${schema}.queue where attempt = 1`)).toEqual([
      { count },
    ]);
  });
});
