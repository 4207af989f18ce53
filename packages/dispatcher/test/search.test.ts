import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DeliveryFilter, Dispatcher } from "../src/index.js";
import { createVirtualClock } from "../src/testing.js";
import { openDispatcher, openReceiver, TENANT, until } from "./open-dispatcher.js";

const ONCE = { retrySchedule: { delaysMs: [] } };

async function allIds(dispatcher: Dispatcher, filter: DeliveryFilter = {}, limit = 200): Promise<readonly string[]> {
  const ids: string[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await dispatcher.deliveries.list({
      tenantId: TENANT,
      limit,
      ...filter,
      ...(cursor === undefined || cursor === null ? {} : { cursor }),
    });
    ids.push(...page.deliveries.map(({ id }) => id));
    cursor = page.nextCursor;
  } while (cursor !== null);
  return ids;
}

const inState = (dispatcher: Dispatcher, filter: DeliveryFilter, count: number) =>
  until(async () => (await allIds(dispatcher, filter)).length >= count);

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("W1 finds deliveries by endpoint, event, type, status, answer, error code and time, newest first", async () => {
    const clock = createVirtualClock();
    const { dispatcher } = await openDispatcher(databases, { ...ONCE, clock });
    const receiver = await openReceiver({
      answer: ({ path }) => ({ status: path === "/bad" ? 503 : 200 }),
      toleranceSeconds: Number.POSITIVE_INFINITY,
    });
    const make = (path: string, events: readonly string[]) =>
      dispatcher.endpoints.create({ tenantId: TENANT, target: { url: new URL(path, receiver.url).href }, events });
    const good = await make("/good", ["*"]);
    const bad = await make("/bad", ["ticket.*"]);
    const held = await make("/held", ["user.*"]);
    await dispatcher.endpoints.disable({ tenantId: TENANT, id: held.id });
    const first = await dispatcher.publish({ tenantId: TENANT, type: "ticket.created", data: {} });
    clock.advance(60_000);
    const betweenAt = new Date(clock.now());
    await dispatcher.publish({ tenantId: TENANT, type: "user.created", data: {} });
    await dispatcher.publish({ tenantId: "globex", type: "user.created", data: {} });
    expect((await dispatcher.deliveries.list({ tenantId: TENANT, status: "pending" })).deliveries).toHaveLength(3);
    await dispatcher.start();
    await inState(dispatcher, { status: "delivered" }, 2);
    await inState(dispatcher, { status: "dead" }, 1);

    const of = async (filter: DeliveryFilter) => {
      const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT, ...filter });
      const names: Record<string, string> = { [good.id]: "good", [bad.id]: "bad", [held.id]: "held" };
      return deliveries.map(({ endpointId, eventType }) => `${eventType} ${names[endpointId ?? ""]}`).sort();
    };
    expect(await of({ endpointId: good.id })).toEqual(["ticket.created good", "user.created good"]);
    expect(await of({ eventId: first.id })).toEqual(["ticket.created bad", "ticket.created good"]);
    expect(await of({ eventType: "user.created" })).toEqual(["user.created good", "user.created held"]);
    expect(await of({ eventType: "user.created", status: "held" })).toEqual(["user.created held"]);
    expect(await of({ status: "held" })).toEqual(["user.created held"]);
    expect(await of({ status: "pending" })).toEqual([]);
    expect(await of({ status: "delivering" })).toEqual([]);
    expect(await of({ status: "expired" })).toEqual([]);
    expect(await of({ status: "dead" })).toEqual(["ticket.created bad"]);
    expect(await of({ httpStatus: 503 })).toEqual(["ticket.created bad"]);
    expect(await of({ httpStatus: 200 })).toEqual(["ticket.created good", "user.created good"]);
    expect(await of({ errorCode: "http_status" })).toEqual(["ticket.created bad"]);
    expect(await of({ errorCode: "timeout" })).toEqual([]);
    expect(await of({ since: betweenAt })).toEqual(["user.created good", "user.created held"]);
    expect(await of({ until: betweenAt, status: "delivered" })).toEqual(["ticket.created good"]);
    expect(await of({ since: betweenAt, until: betweenAt })).toEqual([]);

    const ids = await allIds(dispatcher);
    expect(ids).toEqual([...ids].sort().reverse());
  });

  it("finds a waiting delivery by the answer to its last attempt", async () => {
    const { dispatcher } = await openDispatcher(databases, { retrySchedule: { delaysMs: [3_600_000] } });
    const receiver = await openReceiver({ answer: () => ({ status: 418 }) });
    await dispatcher.endpoints.create({ tenantId: TENANT, target: { url: receiver.url }, events: ["*"] });
    await dispatcher.publish({ tenantId: TENANT, type: "ticket.created", data: {} });
    await dispatcher.start();
    await inState(dispatcher, { status: "pending", httpStatus: 418, errorCode: "http_status" }, 1);
    expect(await allIds(dispatcher, { httpStatus: 503 })).toEqual([]);
  });

  it("skips and doubles nothing while pages are read, rows are added and deliveries move on, all of one time", async () => {
    const clock = createVirtualClock();
    const { dispatcher } = await openDispatcher(databases, { ...ONCE, clock });
    const receiver = await openReceiver({ toleranceSeconds: Number.POSITIVE_INFINITY });
    await dispatcher.endpoints.create({ tenantId: TENANT, target: { url: receiver.url }, events: ["*"] });
    const publish = (count: number) =>
      dispatcher.publishMany(
        Array.from({ length: count }, (_, n) => ({ tenantId: TENANT, type: "ticket.created", data: { n } })),
      );
    await publish(25);
    const before = await allIds(dispatcher);
    const seen: string[] = [];
    let cursor: string | undefined;
    for (let page = 0; ; page++) {
      const found = await dispatcher.deliveries.list({ tenantId: TENANT, limit: 7, ...(cursor && { cursor }) });
      seen.push(...found.deliveries.map(({ id }) => id));
      if (found.nextCursor === null) break;
      cursor = found.nextCursor;
      if (page === 0) await dispatcher.start();
      if (page === 1) await inState(dispatcher, { status: "delivered" }, 25);
      clock.advance(1);
      await publish(3);
    }
    expect(seen).toEqual(before);
  });

  it("puts many back, with a result for each, by id or by what they are", async () => {
    let status = 503;
    const { dispatcher } = await openDispatcher(databases, ONCE);
    const receiver = await openReceiver({ answer: () => ({ status }) });
    const endpoint = await dispatcher.endpoints.create({
      tenantId: TENANT,
      target: { url: receiver.url },
      events: ["*"],
    });
    await dispatcher.start();
    for (let n = 0; n < 5; n++) await dispatcher.publish({ tenantId: TENANT, type: "ticket.created", data: { n } });
    await inState(dispatcher, { status: "dead" }, 5);
    status = 200;
    const [first = "", second = "", third = ""] = await allIds(dispatcher);
    const retried = await dispatcher.deliveries.retryMany({ tenantId: TENANT, ids: [first, "dlv_none", "\u0000"] });
    expect(retried).toMatchObject({
      results: [
        { id: first, status: "requeued" },
        { id: "dlv_none", status: "refused", code: "delivery_not_found" },
        { id: "\u0000", status: "refused", code: "delivery_not_found" },
      ],
      nextCursor: null,
    });
    await inState(dispatcher, { status: "delivered" }, 1);
    expect(await dispatcher.deliveries.retryMany({ tenantId: "globex", ids: [second] })).toMatchObject({
      results: [{ status: "refused", code: "delivery_not_found" }],
    });

    const filter = { endpointId: endpoint.id, status: "dead" as const };
    const some = await dispatcher.deliveries.retryMany({ tenantId: TENANT, filter, limit: 2 });
    expect(some.results).toEqual([second, third].map((id) => ({ id, status: "requeued" })));
    const cursor = some.nextCursor ?? "";
    const rest = await dispatcher.deliveries.retryMany({ tenantId: TENANT, filter, limit: 2, cursor });
    expect(rest).toMatchObject({ results: [{ status: "requeued" }, { status: "requeued" }], nextCursor: null });
    await inState(dispatcher, { status: "delivered" }, 5);
    const eventIds = receiver.requests.map(({ headers }) => headers["webhook-id"]);
    expect(new Set(eventIds).size).toBe(5);
    expect(receiver.requests).toHaveLength(10);

    // A delivered one too, and one that is held says why not.
    await dispatcher.deliveries.retryMany({ tenantId: TENANT, ids: [first] });
    await until(() => receiver.requests.length === 11);
    await dispatcher.endpoints.disable({ tenantId: TENANT, id: endpoint.id });
    await inState(dispatcher, { status: "delivered" }, 5);
    expect(await dispatcher.deliveries.retryMany({ tenantId: TENANT, ids: [first] })).toMatchObject({
      results: [{ status: "requeued" }],
    });
    await inState(dispatcher, { status: "held" }, 1);
    expect(await dispatcher.deliveries.retryMany({ tenantId: TENANT, ids: [first] })).toMatchObject({
      results: [{ status: "refused", code: "endpoint_disabled" }],
    });
  });

  it("refuses a search that cannot be answered", async () => {
    const { dispatcher } = await openDispatcher(databases);
    const refused = { code: "invalid_query" };
    const { list, retryMany } = dispatcher.deliveries;
    await expect(list({ tenantId: TENANT, since: new Date("nonsense") })).rejects.toMatchObject(refused);
    await expect(list({ tenantId: TENANT, httpStatus: 1.5 })).rejects.toMatchObject(refused);
    await expect(list({ tenantId: TENANT, limit: 0 })).rejects.toMatchObject(refused);
    await expect(retryMany({ tenantId: TENANT, ids: [] })).rejects.toMatchObject(refused);
    const ids = Array.from({ length: 201 }, (_, n) => `dlv_${n}`);
    await expect(retryMany({ tenantId: TENANT, ids })).rejects.toMatchObject(refused);
    await expect(retryMany({ tenantId: TENANT, filter: {}, limit: 201 })).rejects.toMatchObject(refused);
  });
});
