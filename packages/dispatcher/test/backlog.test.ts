import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BacklogGrowing } from "../src/index.js";
import { createVirtualClock, type Receiver } from "../src/testing.js";
import { openDispatcher, openReceiver, TENANT, until } from "./open-dispatcher.js";

const EVENT = { tenantId: TENANT, type: "ticket.created", data: { number: 1 } };
const ALERTS = "backlog.*";

/** A clock that is moved on this fast may outrun a lease, which repeats a request. */
const idsOf = ({ requests }: Receiver) => new Set(requests.map(({ headers }) => headers["webhook-id"]));

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  /** Two processes that look, at a subscriber whose deliveries are held. */
  const open = async (options: object = {}) => {
    const clock = createVirtualClock();
    const told: (BacklogGrowing & { readonly tenantId: string })[] = [];
    const hooks = { onBacklogGrowing: (growing: (typeof told)[number]) => void told.push(growing) };
    const opened = await openDispatcher(databases, { clock, hooks, backlogThreshold: 10, ...options });
    const { dispatcher, database } = opened;
    const looks = [0, 0];
    const counting = (process: number) => ({
      ...database,
      query: (text: string, params?: readonly unknown[]) => {
        if (text.includes("next(id, number)")) looks[process] = (looks[process] ?? 0) + 1;
        return database.query(text, params);
      },
    });
    const processes = looks.map((_, process) => opened.another({ database: counting(process) } as object));
    const receiver = await openReceiver();
    const endpoint = await dispatcher.endpoints.create({
      tenantId: TENANT,
      name: "Billing",
      target: { url: receiver.url },
      events: ["*"],
      active: false,
    });
    const alerts = await openReceiver();
    await dispatcher.endpoints.create({ tenantId: TENANT, target: { url: alerts.url }, events: [ALERTS] });
    for (const process of processes) await process.start();
    /** Each process has looked through everything that is there now. */
    const looked = async () => {
      const before = [...looks];
      await until(() => {
        clock.advance(5_000);
        return looks.every((count, process) => count >= (before[process] ?? 0) + 2);
      });
    };
    const got = (by: Receiver, count: number) =>
      until(() => {
        clock.advance(1_000);
        return idsOf(by).size >= count;
      });
    const publish = (count: number) => dispatcher.publishMany(Array.from({ length: count }, () => EVENT));
    return { ...opened, clock, told, looks, looked, got, receiver, endpoint, alerts, publish };
  };

  it("tells once of a backlog that reaches the threshold, and anew only after it had shrunk to less than half", async () => {
    const { dispatcher, database, schema, endpoint, alerts, told, looked, got, publish, receiver } = await open();
    await publish(9);
    await looked();
    expect(told).toEqual([]);

    await publish(1);
    await got(alerts, 1);
    await publish(50);
    await looked();
    expect(told).toEqual([{ tenantId: TENANT, endpointId: endpoint.id, endpointName: "Billing", waiting: 10 }]);
    expect(alerts.requests[0]?.json()).toMatchObject({
      type: "backlog.growing",
      data: { endpointId: endpoint.id, endpointName: "Billing", waiting: 10 },
    });

    // Half of it still waits: that it grows again is no news.
    const keep = (count: number) =>
      database.query(
        `delete from ${schema}.queue where endpoint_id = $1 and id not in
           (select id from ${schema}.queue where endpoint_id = $1 order by id limit ${count})`,
        [endpoint.id],
      );
    await keep(5);
    await looked();
    await publish(5);
    await looked();
    expect(told).toHaveLength(1);

    await keep(4);
    await looked();
    await publish(6);
    await got(alerts, 2);

    // Everything goes out, and a backlog after it is another one.
    await dispatcher.endpoints.enable(endpoint);
    await got(receiver, 10);
    await until(async () => {
      const [row] = await database.query<{ waiting: number }>(
        `select count(*)::integer as waiting from ${schema}.queue where endpoint_id = $1`,
        [endpoint.id],
      );
      return row?.waiting === 0;
    });
    await looked();
    await dispatcher.endpoints.disable(endpoint);
    await publish(10);
    await got(alerts, 3);
    await looked();
    expect(idsOf(alerts).size).toBe(3);
    expect(told).toHaveLength(3);
  });

  it("finds the one endpoint with a backlog among many, of all tenants", async () => {
    const { dispatcher, looked, told } = await open();
    const target = { url: "http://127.0.0.1:9/" };
    const made = [];
    for (let n = 0; n < 45; n += 1) {
      const tenantId = `tenant-${n}`;
      made.push(await dispatcher.endpoints.create({ tenantId, target, events: ["*"], active: false }));
      await dispatcher.publish({ ...EVENT, tenantId });
    }
    const last = made.at(-1);
    await dispatcher.publishMany(Array.from({ length: 9 }, () => ({ ...EVENT, tenantId: last?.tenantId ?? "" })));
    await looked();
    await looked();
    await looked();
    expect(told).toEqual([{ tenantId: last?.tenantId, endpointId: last?.id, endpointName: null, waiting: 10 }]);
  });

  it("does not look where the threshold is null", async () => {
    const { clock, publish, looks, got, receiver, dispatcher, endpoint } = await open({ backlogThreshold: null });
    await publish(20);
    clock.advance(120_000);
    await dispatcher.endpoints.enable(endpoint);
    await got(receiver, 20);
    expect(looks).toEqual([0, 0]);
  });
});
