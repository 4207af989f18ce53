import { expect, it } from "vitest";
import { createEngine, type EngineSource } from "../src/index.js";
import {
  bearerOnly,
  OLD_SECRET,
  ORDER,
  openSources,
  orders,
  SECRET,
  serveApp,
  signed,
  TOKEN,
} from "./support/sources.js";
import { counts, describeMatrix, ENCRYPTION_KEY, fixedClock, tableText } from "./support/world.js";

describeMatrix("sources", (databases) => {
  const open = (sources: EngineSource[], options?: Parameters<typeof openSources>[2]) =>
    openSources(databases, sources, options);

  it("E8 E11 E12 a signed request becomes its events and one execution that keeps the payload as it came", async () => {
    const { engine, post, dispatcher } = await open([orders()]);
    const body = `{ "number": "A-1",\t"email":"Jo@Example.com", "lines":[] }`;
    const answer = await post("/hooks/orders", body, signed(body, { id: "msg_first" }));
    expect(answer.status).toBe(200);
    const { status, executionId } = (await answer.json()) as { status: string; executionId: string };
    expect(status).toBe("success");

    const contact = await engine.contacts.findByIdentity({ tenantId: "acme", kind: "email", value: "jo@example.com" });
    const { events } = await dispatcher.events.list({ tenantId: "acme" });
    expect(
      events.map(({ type, subjectId }) => ({ type, subjectId })).sort((a, b) => (a.type < b.type ? -1 : 1)),
    ).toEqual([
      { type: "order.placed", subjectId: contact?.id },
      { type: "stock.changed", subjectId: undefined },
    ]);
    const { executions } = await engine.sources.executions({ tenantId: "acme" });
    expect(executions).toEqual([
      {
        id: executionId,
        tenantId: "acme",
        sourceId: "orders",
        messageId: "msg_first",
        status: "succeeded",
        errorCode: null,
        errorMessage: null,
        eventIds: expect.arrayContaining(events.map(({ id }) => id)),
        payload: body,
        receivedAt: expect.stringMatching(/^\d{4}-.*Z$/),
        durationMs: expect.any(Number),
      },
    ]);
    expect((await engine.sources.refusals()).refusals).toEqual([]);
  });

  it("E14 takes the old and the new secret, and the old and the new token, side by side", async () => {
    const { send, post } = await open([orders(), bearerOnly()]);
    expect((await send({ ...ORDER, number: "1" }, { secret: OLD_SECRET })).status).toBe(200);
    expect((await send({ ...ORDER, number: "2" }, { secret: SECRET })).status).toBe(200);
    for (const token of ["another-token-of-the-past", TOKEN]) {
      const answer = await post("/hooks/tokens", JSON.stringify(ORDER), { authorization: `Bearer ${token}` });
      expect(answer.status).toBe(200);
    }
  });

  it("E7 E12 answers 400 with the error of each field, writes nothing, and takes the request once it is right", async () => {
    const world = await open([orders()]);
    const wrong = { number: 7, email: "nobody", lines: [{ count: 1 }, { count: "two" }] };
    const answer = await world.send(wrong, { id: "msg_fixed" });
    expect(answer.status).toBe(400);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    const { code, errors } = (await answer.json()) as { code: string; errors: { pointer: string }[] };
    expect(code).toBe("validation_failed");
    expect(errors.map(({ pointer }) => pointer).sort()).toEqual(["/body/email", "/body/lines/1/count", "/body/number"]);
    expect(await counts(world)).toMatchObject({ contacts: 0, events: 0 });
    expect((await world.engine.sources.executions()).executions).toMatchObject([
      { status: "failed", errorCode: "validation_failed", payload: JSON.stringify(wrong), eventIds: [] },
    ]);
    expect((await world.send(ORDER, { id: "msg_fixed" })).status).toBe(200);
  });

  it("E12 answers 400 to a signed body that is not JSON, and keeps it", async () => {
    const { post, engine } = await open([orders()]);
    for (const body of [new Uint8Array(), Buffer.from("{"), Buffer.from([0x22, 0xff, 0x00, 0x22])]) {
      const answer = await post("/hooks/orders", body, signed(body));
      expect([answer.status, await answer.json()]).toMatchObject([400, { code: "invalid_json" }]);
    }
    const { executions } = await engine.sources.executions();
    expect(executions.map(({ status, errorCode }) => [status, errorCode])).toEqual(
      Array(3).fill(["failed", "invalid_json"]),
    );
    expect(executions.map(({ payload }) => payload).sort()).toEqual(["", '"\ufffd\u0000"', "{"]);
  });

  it("stores all events of a request or none", async () => {
    const event = { type: "order.placed", idempotencyKey: "good", data: {} };
    const email = { kind: "email", value: "jo@example.com" };
    const known = { type: "known.event", idempotencyKey: "known", data: {} };
    let refused: object = {};
    const world = await open([
      orders({
        transform: () => [{ ...event, timestamp: new Date(), identities: [email] }, event, refused as typeof event],
      }),
    ]);
    await world.dispatcher.publish({ ...known, tenantId: "acme", data: { n: 1 } });
    const before = await counts(world);
    for (const [last, code] of [
      [{ ...event, type: "Not A Type" }, "invalid_event"],
      [{ ...event, timestamp: new Date(), identities: [{ kind: "email", value: "nobody" }] }, "invalid_email"],
      [{ ...event, timestamp: new Date(), identities: [] }, "invalid_identity"],
      [known, "idempotency_conflict"],
    ] as const) {
      refused = last;
      const answer = await world.send(ORDER);
      expect([answer.status, await answer.json()]).toMatchObject([422, { code }]);
      expect(await counts(world)).toEqual(before);
      const { executions } = await world.engine.sources.executions({ limit: 1 });
      expect(executions).toMatchObject([{ status: "failed", errorCode: code, eventIds: [] }]);
    }
  });

  it("takes the very same request again after a failure on our side, and no part of it was written", async () => {
    let fails = true;
    const { transform } = orders();
    const world = await open([
      orders({
        transform(body, context) {
          if (fails) throw new Error("password=hunter2");
          return transform(body, context);
        },
      }),
    ]);
    const body = JSON.stringify(ORDER);
    const headers = signed(body);
    const failed = await world.post("/hooks/orders", body, headers);
    const text = await failed.text();
    expect([failed.status, JSON.parse(text)]).toMatchObject([500, { code: "transform_failed" }]);
    expect(text).not.toContain("hunter2");
    fails = false;

    // An outbox that breaks after the first of two events was written.
    let published = 0;
    const engine = createEngine({
      ...world,
      encryptionKey: ENCRYPTION_KEY,
      eventLog: world.dispatcher.events,
      sources: [orders()],
      outbox: {
        ...world.dispatcher,
        publish: async (event, options) => {
          if (++published === 2) throw new Error("connection lost");
          return world.dispatcher.publish(event, options);
        },
      },
    });
    const broken = await serveApp({ engine });
    const answer = await broken.post("/hooks/orders", body, headers);
    expect([answer.status, await answer.json()]).toMatchObject([500, { code: "internal_error" }]);
    expect(published).toBe(2);
    expect(await counts(world)).toMatchObject({ contacts: 0, events: 0 });
    expect((await broken.post("/hooks/orders", body, headers)).status).toBe(200);
    expect(await counts(world)).toMatchObject({ contacts: 1, events: 2 });
    const { executions } = await engine.sources.executions();
    expect(executions.map(({ errorCode }) => errorCode)).toEqual([null, "internal_error", "transform_failed"]);
  });

  it("an event that is known changes no contact, and its neighbours are stored", async () => {
    const world = await open([orders({ replay: false })]);
    await world.send(ORDER);
    await world.database.query(`delete from "${world.schema}".events where type = 'stock.changed'`);
    await world.database.query(`update "${world.schema}".contacts set updated_at = '2001-01-01'`);
    expect((await world.send(ORDER)).status).toBe(200);
    expect(await counts(world)).toMatchObject({ contacts: 1, events: 2 });
    expect(await tableText(world, "contacts")).toContain("2001-01-01");
  });

  it("E12 E13 lists by tenant and source, in pages, newest first", async () => {
    const clock = fixedClock();
    const { send, post, engine } = await open([orders(), bearerOnly({ tenantId: "other" })], { clock });
    for (let n = 0; n < 3; n++) {
      clock.advance(1);
      expect((await send({ ...ORDER, number: `${n}` })).status).toBe(200);
      expect((await post("/hooks/tokens", "{}", {})).status).toBe(401);
      expect((await post("/hooks/orders", "{}", {})).status).toBe(401);
    }
    const first = await engine.sources.executions({ tenantId: "acme", limit: 2 });
    const second = await engine.sources.executions({ tenantId: "acme", limit: 2, cursor: first.nextCursor ?? "" });
    expect([...first.executions, ...second.executions].map(({ payload }) => JSON.parse(payload).number)).toEqual([
      "2",
      "1",
      "0",
    ]);
    expect(second.nextCursor).toBeNull();
    expect((await engine.sources.executions({ tenantId: "other" })).executions).toEqual([]);
    expect((await engine.sources.refusals({ sourceId: "tokens" })).refusals).toHaveLength(3);
    expect((await engine.sources.refusals({ tenantId: "other", sourceId: "orders" })).refusals).toEqual([]);
    expect((await engine.sources.refusals({ limit: 4 })).nextCursor).not.toBeNull();
    await expect(engine.sources.refusals({ cursor: "%" })).rejects.toMatchObject({ code: "invalid_cursor" });
  });

  it("E12 E13 keeps executions and refusals for a time and up to a number", async () => {
    const clock = fixedClock();
    const world = await open([orders(), bearerOnly()], { clock });
    const { engine, database, schema } = world;
    expect((await world.send({ ...ORDER, number: "old" }, { nowMs: clock.now() })).status).toBe(200);
    expect((await world.post("/hooks/orders", "{}", {})).status).toBe(401);
    clock.advance(31 * 24 * 3600 * 1000);
    expect((await world.send({ ...ORDER, number: "new" }, { nowMs: clock.now() })).status).toBe(200);
    const { executions } = await engine.sources.executions();
    expect(executions.map(({ payload }) => JSON.parse(payload).number)).toEqual(["new"]);
    expect((await engine.sources.refusals()).refusals).toHaveLength(1);

    await database.query(
      `insert into "${schema}".source_executions
       select 'exe_000' || lpad(n::text, 6, '0'), 'acme', 'orders', null, 'succeeded', null, null, '{}', '', $1, 0
       from generate_series(1, 1200) n`,
      [new Date(clock.now())],
    );
    clock.advance(61 * 24 * 3600 * 1000);
    await database.query(`update "${schema}".source_executions set received_at = $1`, [new Date(clock.now())]);
    expect((await world.post("/hooks/tokens", "{}", {})).status).toBe(401);
    const [kept] = await database.query(
      `select count(*) as rows, min(id) as oldest from "${schema}".source_executions where source_id = 'orders'`,
    );
    expect(kept).toEqual({ rows: 1000, oldest: "exe_000000202" });
    expect((await engine.sources.refusals()).refusals).toMatchObject([{ sourceId: "tokens" }]);
  });

  it("tells other methods by 405, and stands in the API's description", async () => {
    const { url } = await open([orders({ method: "PUT" })]);
    const wrong = await fetch(`${url}/hooks/orders`, { method: "POST", body: "{}" });
    expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "PUT"]);
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: Record<string, object> };
    expect(document.paths["/hooks/orders"]).toHaveProperty("put");
  });

  it("refuses work once the engine is closed", async () => {
    const world = await open([orders()]);
    await world.engine.close();
    expect((await world.send(ORDER)).status).toBe(503);
    expect(await counts(world)).toMatchObject({ events: 0 });
  });
});
