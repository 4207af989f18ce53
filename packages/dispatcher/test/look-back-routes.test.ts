import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openReceiver, TENANT, until } from "./open-dispatcher.js";
import { openHttp } from "./open-http.js";

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  const open = async () => {
    const opened = await openHttp(databases, { retrySchedule: { delaysMs: [] } });
    let status = 503;
    const receiver = await openReceiver({ answer: () => ({ status }) });
    await opened.dispatcher.start();
    const { body: endpoint } = await opened.call("POST", "/v1/endpoints", {
      body: { url: receiver.url, events: ["*"] },
    });
    const event = await opened.dispatcher.publish({ tenantId: TENANT, type: "ticket.created", data: { n: 1 } });
    const find = async (query: string) => (await opened.call("GET", `/v1/deliveries?${query}`)).body.deliveries;
    await until(async () => (await find("status=dead")).length === 1);
    const answer = (next: number) => {
      status = next;
    };
    return { ...opened, receiver, endpoint, event, find, answer };
  };

  it("W2 finds deliveries by what they are, and refuses a search that makes no sense", async () => {
    const { call, find, endpoint, event } = await open();
    const all = `endpointId=${endpoint.id}&eventId=${event.id}&eventType=ticket.created&status=dead&httpStatus=503&errorCode=http_status`;
    expect(await find(`${all}&since=2020-01-01T00:00:00Z&until=2100-01-01T00:00:00Z`)).toHaveLength(1);
    for (const other of ["eventType=ticket.closed", "httpStatus=500", "errorCode=timeout", "status=delivering"]) {
      expect(await find(other)).toEqual([]);
    }
    expect(await find("until=2020-01-01T00:00:00Z")).toEqual([]);
    for (const wrong of ["status=lost", "since=yesterday", "httpStatus=7", "eventType=a%00", "errorCode=%00"]) {
      expect([wrong, await call("GET", `/v1/deliveries?${wrong}`)]).toMatchObject([wrong, { status: 400 }]);
    }
  });

  it("W2 puts many back by id and by filter, with a result for each", async () => {
    const { call, find, answer } = await open();
    answer(200);
    const [dead] = await find("status=dead");
    expect(await call("POST", "/v1/deliveries/retry", { body: { ids: [dead.id, "dlv_none"] } })).toMatchObject({
      status: 200,
      body: {
        results: [
          { id: dead.id, status: "requeued" },
          { id: "dlv_none", status: "refused", code: "delivery_not_found" },
        ],
        nextCursor: null,
      },
    });
    await until(async () => (await find("status=delivered")).length === 1);
    const filtered = await call("POST", "/v1/deliveries/retry", { body: { filter: { status: "delivered" } } });
    expect(filtered).toMatchObject({ status: 200, body: { results: [{ id: dead.id, status: "requeued" }] } });
    for (const body of [
      {},
      { ids: [] },
      { ids: ["\u0000"] },
      { filter: { status: "lost" } },
      { ids: ["a"], filter: {} },
    ]) {
      expect((await call("POST", "/v1/deliveries/retry", { body })).status).toBe(400);
    }
    expect(await call("POST", "/v1/deliveries/retry", { as: "theirs", body: { ids: [dead.id] } })).toMatchObject({
      body: { results: [{ code: "delivery_not_found" }] },
    });
  });

  it("N4 W2 recovers an endpoint's deliveries, shows how far it is, and cancels", async () => {
    const { call, find, endpoint, answer } = await open();
    answer(200);
    const path = `/v1/endpoints/${endpoint.id}/recover`;
    const started = await call("POST", path, { body: { since: "2020-01-01T00:00:00Z" } });
    expect(started).toMatchObject({ status: 202, body: { endpointId: endpoint.id, of: "dead", matched: 0 } });
    const task = `/v1/recoveries/${started.body.id}`;
    await until(async () => (await call("GET", task)).body.status === "completed");
    expect((await call("GET", task)).body).toMatchObject({ matched: 1, requeued: 1, endedAt: expect.any(String) });
    await until(async () => (await find("status=delivered")).length === 1);
    expect(await call("POST", `${task}/cancel`)).toMatchObject({ status: 200, body: { status: "completed" } });
    const listed = await call("GET", `/v1/recoveries?endpointId=${endpoint.id}`);
    expect(listed.body).toMatchObject({ recoveries: [{ id: started.body.id }], nextCursor: null });

    expect((await call("POST", path, { as: "theirs", body: { since: "2020-01-01T00:00:00Z" } })).status).toBe(404);
    expect((await call("GET", task, { as: "theirs" })).status).toBe(404);
    expect((await call("POST", `${task}/cancel`, { as: "theirs" })).status).toBe(404);
    expect((await call("GET", "/v1/recoveries", { as: "theirs" })).body.recoveries).toEqual([]);
    for (const body of [{}, { since: "yesterday" }, { since: "2020-01-01T00:00:00Z", status: "lost" }]) {
      expect((await call("POST", path, { body })).status).toBe(400);
    }
    expect(await call("POST", path, { body: { since: "2100-01-01T00:00:00Z" } })).toMatchObject({
      status: 400,
      body: { code: "invalid_query", errors: [{ pointer: "/body/since" }] },
    });
  });

  it("shows an event and takes its payload out for good", async () => {
    const { call, event, find } = await open();
    const path = `/v1/events/${event.id}`;
    expect(await call("GET", path)).toMatchObject({
      status: 200,
      body: { id: event.id, type: "ticket.created", data: { n: 1 }, expungedAt: null },
    });
    expect((await call("GET", path, { as: "theirs" })).status).toBe(404);
    expect((await call("POST", `${path}/expunge`, { as: "theirs" })).status).toBe(404);
    expect(await call("POST", `${path}/expunge`)).toMatchObject({
      status: 200,
      body: { id: event.id, expungedAt: expect.any(String), endedDeliveries: 0, inFlight: 0 },
    });
    expect((await call("GET", path)).body).toMatchObject({ data: null, expungedAt: expect.any(String) });
    const [dead] = await find("status=dead");
    expect(await call("POST", `/v1/deliveries/${dead.id}/retry`)).toMatchObject({
      status: 409,
      body: { code: "payload_expunged" },
    });
  });

  it("W8 answers 401 without credentials, and describes every route", async () => {
    const { call, routes } = await open();
    const post = ["/v1/deliveries/retry", "/v1/endpoints/x/recover", "/v1/recoveries/x/cancel", "/v1/events/x/expunge"];
    for (const path of post) expect((await call("POST", path, { as: "nobody" })).status).toBe(401);
    for (const path of ["/v1/recoveries", "/v1/recoveries/x", "/v1/events/x"]) {
      expect((await call("GET", path, { as: "nobody" })).status).toBe(401);
    }
    const { paths } = routes.getOpenAPI31Document({ openapi: "3.1.0", info: { title: "t", version: "1" } });
    expect(Object.keys(paths ?? {})).toEqual(
      expect.arrayContaining([
        "/v1/deliveries/retry",
        "/v1/endpoints/{endpointId}/recover",
        "/v1/recoveries",
        "/v1/recoveries/{recoveryId}",
        "/v1/recoveries/{recoveryId}/cancel",
        "/v1/events/{eventId}",
        "/v1/events/{eventId}/expunge",
      ]),
    );
  });
});
