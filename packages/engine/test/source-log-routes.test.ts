import { expect, it } from "vitest";
import { ORDER, openSources, orders, signed } from "./support/sources.js";
import { describeMatrix, until } from "./support/world.js";

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into field by field
type Json = any;

describeMatrix("what sources have received, over HTTP", (databases) => {
  async function open() {
    const world = await openSources(databases, [orders(), orders({ id: "others", path: "/hooks/others" })], {
      start: true,
    });
    const keyOf = async (tenantId: string, scopes: readonly ("read" | "write" | "admin")[]) =>
      (await world.engine.apiKeys.create({ tenantId, name: "test", scopes })).key;
    const key = await keyOf("acme", ["read"]);
    const get = async (path: string, by = key): Promise<{ status: number; body: Json }> => {
      const response = await fetch(world.url + path, { headers: { authorization: `Bearer ${by}` } });
      return { status: response.status, body: await response.json() };
    };
    return { ...world, keyOf, get };
  }

  it("E12 shows executions page by page, with payload, error, duration, success and failure rate", async () => {
    const { send, post, get } = await open();
    const sent: string[] = [];
    for (const number of ["1", "2", "3"]) {
      const answer = await send({ ...ORDER, number }, { id: `msg_${number}` });
      sent.push(((await answer.json()) as Json).executionId);
    }
    await send({ ...ORDER, number: 4 }, { id: "msg_4" });
    await send({ ...ORDER, number: "1" }, { id: "msg_1", ageSeconds: 60 });
    const body = JSON.stringify({ ...ORDER, number: "5" });
    await post("/hooks/others", body, signed(body));

    const first = await get("/v1/source-executions?sourceId=orders&limit=2");
    expect(first.status).toBe(200);
    expect(first.body.totals).toEqual({ succeeded: 3, duplicate: 1, failed: 1, successRate: 0.8, failureRate: 0.2 });
    const cursor = encodeURIComponent(first.body.nextCursor);
    const second = await get(`/v1/source-executions?sourceId=orders&limit=3&cursor=${cursor}`);
    expect(second.body.nextCursor).toBeNull();
    const all: Json[] = [...first.body.executions, ...second.body.executions];
    expect(all).toHaveLength(5);
    expect(new Set(all.map(({ id }) => id)).size).toBe(5);
    expect(all.map(({ sourceId }) => sourceId)).toEqual(Array(5).fill("orders"));

    const failed = await get("/v1/source-executions?status=failed");
    expect(failed.body.executions).toEqual([
      {
        id: expect.stringMatching(/^exe_/),
        tenantId: "acme",
        sourceId: "orders",
        messageId: "msg_4",
        status: "failed",
        errorCode: "validation_failed",
        errorMessage: expect.any(String),
        eventIds: [],
        payload: JSON.stringify({ ...ORDER, number: 4 }),
        receivedAt: expect.stringMatching(/Z$/),
        durationMs: expect.any(Number),
      },
    ]);
    expect(failed.body.totals).toMatchObject({ succeeded: 4, failed: 1 });
    const one = await get(`/v1/source-executions/${sent[1]}`);
    expect(one.body).toMatchObject({ id: sent[1], messageId: "msg_2", status: "succeeded", automations: [] });
  });

  it("E11 E12 finds by the id that was answered what the request's events have run", async () => {
    const { engine, send, get } = await open();
    const steps = [{ id: "again", action: "event.publish", input: { type: "order.seen", data: "{{ number }}" } }];
    const definition = { tenantId: "acme", name: "See orders", trigger: { events: ["order.*"] }, steps };
    const { id } = await engine.automations.create(definition);
    await engine.automations.activate({ tenantId: "acme", id });
    const { executionId } = (await (await send(ORDER)).json()) as Json;
    const runs = async () => (await get(`/v1/source-executions/${executionId}`)).body.automations as Json[];
    await until(async () => (await runs())[0]?.status === "succeeded");
    expect(await runs()).toMatchObject([
      { automationId: id, eventType: "order.placed", steps: [{ id: "again", input: { data: "A-1" }, error: null }] },
    ]);
  });

  it("E13 shows refusals page by page", async () => {
    const { post, get } = await open();
    for (let tries = 0; tries < 3; tries++) await post("/hooks/orders", "{}", {});
    await post("/hooks/others", "{}", {});
    const first = await get("/v1/source-refusals?sourceId=orders&limit=2");
    const second = await get(`/v1/source-refusals?sourceId=orders&cursor=${encodeURIComponent(first.body.nextCursor)}`);
    expect([...first.body.refusals, ...second.body.refusals]).toEqual(
      Array(3).fill({
        id: expect.stringMatching(/^ref_/),
        tenantId: "acme",
        sourceId: "orders",
        reason: "missing_header",
        address: "127.0.0.1",
        path: null,
        refusedAt: expect.stringMatching(/Z$/),
      }),
    );
    expect((await get("/v1/source-refusals")).body.refusals).toHaveLength(4);
  });

  it("E12 E13 shows nothing of another tenant, nothing without a key that may read, and refuses what it cannot read", async () => {
    const { send, post, get, keyOf } = await open();
    const { executionId } = (await (await send(ORDER)).json()) as Json;
    await post("/hooks/orders", "{}", {});
    const stranger = await keyOf("globex", ["read"]);
    expect((await get("/v1/source-executions", stranger)).body).toEqual({
      executions: [],
      nextCursor: null,
      totals: { succeeded: 0, duplicate: 0, failed: 0, successRate: null, failureRate: null },
    });
    expect((await get("/v1/source-refusals", stranger)).body.refusals).toEqual([]);
    expect(await get(`/v1/source-executions/${executionId}`, stranger)).toMatchObject({
      status: 404,
      body: { code: "execution_not_found" },
    });
    const writer = await keyOf("acme", ["write"]);
    for (const path of ["/v1/source-executions", `/v1/source-executions/${executionId}`, "/v1/source-refusals"]) {
      expect((await get(path, "hk_nobody")).status).toBe(401);
      expect((await get(path, writer)).status).toBe(403);
    }
    for (const [query, code] of [
      ["limit=0", "validation_failed"],
      ["limit=201", "validation_failed"],
      ["sourceId=", "validation_failed"],
      ["cursor=%25", "invalid_cursor"],
    ]) {
      for (const path of ["/v1/source-executions", "/v1/source-refusals"]) {
        expect(await get(`${path}?${query}`)).toMatchObject({ status: 400, body: { code } });
      }
    }
    expect((await get("/v1/source-executions?status=lost")).status).toBe(400);
  });
});
