import { randomBytes } from "node:crypto";
import type { SqlQuery } from "@hookline/core";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDispatcher, type Dispatcher } from "../src/index.js";
import { createVirtualClock, type Receiver } from "../src/testing.js";
import { ENCRYPTION_KEY, openDispatcher, openReceiver, subscribeReceiver, TENANT, until } from "./open-dispatcher.js";

const INPUT = { tenantId: TENANT, target: { url: "https://example.com/hook" }, events: ["ticket.*"] };

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("W1 W3 makes an endpoint, shows its secret once, and finds it by its tenant only", async () => {
    const { dispatcher } = await openDispatcher(databases);
    const { secret, ...endpoint } = await dispatcher.endpoints.create({ ...INPUT, name: "crm" });
    expect(secret).toMatch(/^whsec_/);
    expect(endpoint).toMatchObject({ ...INPUT, name: "crm", destination: "webhook", active: true, key: null });
    expect(await dispatcher.endpoints.get(endpoint)).toEqual(endpoint);
    expect(await dispatcher.endpoints.get({ tenantId: "globex", id: endpoint.id })).toBeNull();
    expect(await dispatcher.endpoints.delete({ tenantId: "globex", id: endpoint.id })).toBe(false);
    await expect(
      dispatcher.endpoints.update({ tenantId: "globex", id: endpoint.id }, { name: "mine" }),
    ).rejects.toMatchObject({ code: "endpoint_not_found" });
    expect(await dispatcher.endpoints.delete(endpoint)).toBe(true);
    expect(await dispatcher.endpoints.get(endpoint)).toBeNull();
  });

  it("W1 keeps names unique within a tenant", async () => {
    const { dispatcher } = await openDispatcher(databases);
    await dispatcher.endpoints.create({ ...INPUT, name: "crm" });
    const other = await dispatcher.endpoints.create({ ...INPUT, name: "erp" });
    await dispatcher.endpoints.create({ ...INPUT, name: "crm", tenantId: "globex" });
    await dispatcher.endpoints.create(INPUT);
    await dispatcher.endpoints.create(INPUT);
    await expect(dispatcher.endpoints.create({ ...INPUT, name: "crm" })).rejects.toMatchObject({ code: "name_taken" });
    await expect(dispatcher.endpoints.update(other, { name: "crm" })).rejects.toMatchObject({ code: "name_taken" });
  });

  it("W1 takes a name away, which is then free, and keeps it where nothing is said of it", async () => {
    const { dispatcher } = await openDispatcher(databases);
    const { update, create } = dispatcher.endpoints;
    const one = await create({ ...INPUT, name: "crm" });
    const other = await create({ ...INPUT, name: "erp" });
    expect(await update(one, { description: "ours" })).toMatchObject({ name: "crm" });
    expect(await update(one, { name: null })).toMatchObject({ name: null, description: "ours" });
    expect(await update(other, { name: null })).toMatchObject({ name: null });
    expect(await update(other, { name: "crm" })).toMatchObject({ name: "crm" });
    await expect(update(one, { name: "" })).rejects.toMatchObject({ code: "invalid_endpoint" });
  });

  it("keeps target and secret unreadable in the database, and reads them with an older key", async () => {
    const { dispatcher, another, database, schema } = await openDispatcher(databases);
    const secret = `whsec_${randomBytes(32).toString("base64")}`;
    const target = { url: "https://example.com/hook", headers: { authorization: "Bearer hush" } };
    const endpoint = await dispatcher.endpoints.create({ ...INPUT, target, secret });
    const [row] = await database.query<{ all: string }>(
      `select endpoint::text as all from ${schema}.endpoints endpoint`,
    );
    for (const hidden of ["hush", "example.com", secret.slice(6)]) expect(row?.all).not.toContain(hidden);
    const rotated = another({ encryptionKey: [randomBytes(32).toString("base64"), ENCRYPTION_KEY] });
    expect(await rotated.endpoints.get(endpoint)).toMatchObject({ target });
    const keyless = another({ encryptionKey: randomBytes(32).toString("base64") });
    expect(await keyless.endpoints.get(endpoint)).toMatchObject({ id: endpoint.id, target: null });
  });

  it("W1 W8 refuses a target whose scheme cannot sign with the secrets that the endpoint has", async () => {
    const { dispatcher } = await openDispatcher(databases);
    const { endpoints } = dispatcher;
    const url = "https://example.com/hook";
    const target = { url, scheme: "github" };
    const endpoint = await endpoints.create({ ...INPUT, target, secret: "short-pw" });
    const unfit = { code: "invalid_endpoint", issues: [{ path: "target.scheme", message: expect.any(String) }] };
    for (const scheme of ["standard-webhooks", undefined]) {
      const changed = scheme === undefined ? { url } : { url, scheme };
      const refused = await endpoints.update(endpoint, { target: changed, name: "crm" }).catch((error) => error);
      expect(refused).toMatchObject(unfit);
      expect(refused.message).not.toContain("short-pw");
    }
    expect(await endpoints.get(endpoint)).toMatchObject({ target, name: null });
    const moved = { url: `${url}/moved`, scheme: "github" };
    expect(await endpoints.update(endpoint, { target: moved })).toMatchObject({ target: moved });

    const secret = `whsec_${"QUJD".repeat(8)}`;
    await endpoints.rotateSecret({ ...endpoint, secret, overlapMs: 60_000 });
    // The older one still signs.
    await expect(endpoints.update(endpoint, { target: { url } })).rejects.toMatchObject(unfit);
    await endpoints.rotateSecret({ ...endpoint, secret: `whsec_${"QUJE".repeat(8)}`, overlapMs: 0 });
    expect(await endpoints.update(endpoint, { target: { url } })).toMatchObject({ target: { url } });
  });

  it("W8 checks a changed target against the secret of a rotation that comes between", async () => {
    const { dispatcher, database, schema } = await openDispatcher(databases);
    const url = "https://example.com/hook";
    const endpoint = await dispatcher.endpoints.create({ ...INPUT, target: { url, scheme: "github" } });
    let rotates = true;
    const query: SqlQuery = async (text, params) => {
      const rows = await database.query(text, params);
      if (rotates && text.includes(`from "${schema}".endpoints where id`)) {
        rotates = false;
        await dispatcher.endpoints.rotateSecret({ ...endpoint, secret: "short-pw", overlapMs: 0 });
      }
      return rows as never;
    };
    const between = createDispatcher({ database: { ...database, query }, schema, encryptionKey: ENCRYPTION_KEY });
    await expect(between.endpoints.update(endpoint, { target: { url } })).rejects.toMatchObject({
      code: "invalid_endpoint",
    });
    expect(rotates).toBe(false);
  });

  it("uses a changed target from the next event on, in every process", async () => {
    const { dispatcher, another } = await openDispatcher(databases);
    const [before, after] = [await openReceiver(), await openReceiver()];
    const endpoint = await subscribeReceiver(dispatcher, before);
    await dispatcher.start();
    await dispatcher.publish({ tenantId: TENANT, type: "a.b", data: 1 });
    await before.waitFor(1);
    await another().endpoints.update(endpoint, { target: { url: after.url } });
    await dispatcher.publish({ tenantId: TENANT, type: "a.b", data: 2 });
    await after.waitFor(1);
    expect(before.requests).toHaveLength(1);
  });

  it.each([
    { what: "no event type", wrong: { events: [] }, path: "events" },
    { what: "an impossible pattern", wrong: { events: ["a.b", "*.created"] }, path: "events.1" },
    { what: "an ftp URL", wrong: { target: { url: "ftp://example.com" } }, path: "target.url" },
    { what: "credentials in the URL", wrong: { target: { url: "https://a:b@example.com" } }, path: "target.url" },
    { what: "an unknown field", wrong: { target: { url: "https://a.example", uri: 1 } }, path: "target.uri" },
    { what: "an unknown scheme", wrong: { target: { url: "https://a.example", scheme: "x" } }, path: "target.scheme" },
    {
      what: "an unknown profile",
      wrong: { target: { url: "https://a.example", profile: "x" } },
      path: "target.profile",
    },
    { what: "a secret that is too short", wrong: { secret: "whsec_c2hvcnQ=" }, path: "secret" },
    { what: "no attempts", wrong: { policy: { maxAttempts: 0 } }, path: "policy.maxAttempts" },
    { what: "an empty name", wrong: { name: "" }, path: "name" },
    ...[
      "Host",
      "content-length",
      "Transfer-Encoding",
      "connection",
      "content-type",
      "Webhook-Signature",
      "webhook-id",
      "webhook-timestamp",
      "bad name",
    ].map((name) => ({
      what: `its own ${name} header`,
      wrong: { target: { url: "https://a.example", headers: { [name]: "x" } } },
      path: `target.headers.${name}`,
    })),
    {
      what: "a header of two lines",
      wrong: { target: { url: "https://a.example", headers: { "x-a": "1\r\nhost: b" } } },
      path: "target.headers.x-a",
    },
  ])("N3 refuses $what", async ({ wrong, path }) => {
    const { dispatcher } = await openDispatcher(databases);
    await expect(dispatcher.endpoints.create({ ...INPUT, ...wrong })).rejects.toMatchObject({
      code: "invalid_endpoint",
      issues: [{ path }],
    });
    expect((await dispatcher.endpoints.list({ tenantId: TENANT })).endpoints).toEqual([]);
  });

  it("W8 wants https unless the address guard allows http", async () => {
    const { dispatcher, another } = await openDispatcher(databases);
    const http = { ...INPUT, target: { url: "http://example.com" } };
    await expect(another({ addressGuard: {} }).endpoints.create(http)).rejects.toMatchObject({
      code: "invalid_endpoint",
    });
    await dispatcher.endpoints.create(http);
    await expect(dispatcher.endpoints.create({ ...INPUT, destination: "nobody" })).rejects.toMatchObject({
      code: "unknown_destination",
    });
  });

  it("W1 lists endpoints and deliveries page by page, each of their own tenant", async () => {
    const { dispatcher } = await openDispatcher(databases);
    const receiver = await openReceiver();
    const target = { url: receiver.url };
    const [first, second] = [
      await dispatcher.endpoints.create({ ...INPUT, target, events: ["a.*"] }),
      await dispatcher.endpoints.create({ ...INPUT, target, events: ["*"] }),
    ];
    await dispatcher.endpoints.create({ ...INPUT, tenantId: "globex", target, events: ["*"] });
    const page = await dispatcher.endpoints.list({ tenantId: TENANT, limit: 1 });
    expect(page.endpoints.map(({ id }) => id)).toEqual([first.id]);
    const rest = await dispatcher.endpoints.list({ tenantId: TENANT, cursor: page.nextCursor ?? "" });
    expect([rest.endpoints.map(({ id }) => id), rest.nextCursor]).toEqual([[second.id], null]);
    await dispatcher.endpoints.update(second, { name: "second" });
    for (const [tenantId, name, found] of [
      [TENANT, "second", [second.id]],
      [TENANT, "third", []],
      ["globex", "second", []],
    ] as const) {
      expect((await dispatcher.endpoints.list({ tenantId, name })).endpoints.map(({ id }) => id)).toEqual(found);
    }

    await dispatcher.publishMany([1, 2, 3].map((n) => ({ tenantId: TENANT, type: "a.b", data: { n } })));
    await dispatcher.publish({ tenantId: "globex", type: "a.b", data: {} });
    await dispatcher.start();
    await until(
      async () => (await dispatcher.deliveries.list({ tenantId: TENANT, status: "delivered" })).deliveries[5],
    );
    const { id: waiting } = await dispatcher.endpoints.create({ ...INPUT, target, events: ["c"], active: false });
    const event = await dispatcher.publish({ tenantId: TENANT, type: "c", data: {} });

    const ids: string[] = [];
    let cursor: string | null | undefined;
    do {
      const listed = await dispatcher.deliveries.list({ tenantId: TENANT, limit: 2, ...(cursor ? { cursor } : {}) });
      expect(listed.deliveries.length).toBeLessThanOrEqual(2);
      ids.push(...listed.deliveries.map(({ id }) => id));
      cursor = listed.nextCursor;
    } while (cursor !== null);
    // Seven of the three and the held one for two endpoints and a third, newest first, none twice.
    expect(ids).toHaveLength(8);
    expect([...new Set(ids)].sort().reverse()).toEqual(ids);
    const of = async (query: object) => (await dispatcher.deliveries.list({ tenantId: TENANT, ...query })).deliveries;
    expect(await of({ endpointId: first.id })).toHaveLength(3);
    await until(async () => (await of({ endpointId: second.id, status: "pending" })).length === 0);
    expect(await of({ endpointId: waiting })).toMatchObject([{ status: "held", eventId: event.id, eventType: "c" }]);
    expect(await of({ eventId: event.id })).toHaveLength(2);
    const [delivery] = await of({ endpointId: first.id });
    expect(await dispatcher.deliveries.get({ tenantId: "globex", id: delivery?.id ?? "" })).toBeNull();
  });

  const holdMany = async (dispatcher: Dispatcher, receiver: Receiver, count: number) => {
    const target = { url: receiver.url };
    const type = `n.${count}`;
    const endpoint = await dispatcher.endpoints.create({ ...INPUT, target, events: [type], active: false });
    const events = Array.from({ length: count }, (_, n) => ({ tenantId: TENANT, type, data: { n } }));
    for (let from = 0; from < count; from += 100) await dispatcher.publishMany(events.slice(from, from + 100));
    return endpoint;
  };

  it("N1 delivers a large backlog of an enabled endpoint portion by portion, without a change to the rest", async () => {
    // Its clock stands still: neither a poll nor a sweep helps.
    const { dispatcher, database, schema } = await openDispatcher(databases, { clock: createVirtualClock() });
    let answer = (): void => {};
    const answers = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const receiver = await openReceiver({ answer: () => answers.then(() => ({ status: 200 })) });
    const endpoint = await holdMany(dispatcher, receiver, 700);
    await dispatcher.start();
    expect((await dispatcher.health()).queue).toMatchObject({ due: 0, held: 700 });
    await dispatcher.endpoints.enable(endpoint);
    await receiver.waitFor(4);
    const [untouched] = await database.query<{ count: number }>(
      `select count(*)::integer as count from ${schema}.queue where state = 1`,
    );
    // As many as could be in flight and in memory, and one more; the first sweep may have taken a portion, too.
    expect(untouched?.count).toBeGreaterThanOrEqual(379 - 64);
    // What found no room is back in the queue.
    await until(async () => ((await dispatcher.health()).queue?.held ?? 0) > (untouched?.count ?? 0));
    answer();
    await receiver.waitFor(700);
    await until(async () => (await database.query(`select from ${schema}.queue limit 1`)).length === 0);
    expect(new Set(receiver.requests.map(({ headers }) => headers["webhook-id"])).size).toBe(700);
    expect(receiver.requests).toHaveLength(700);
    expect((await dispatcher.health()).queue).toMatchObject({ due: 0, held: 0 });
  });

  it("N1 leaves the backlog of an endpoint that it enables for others when it has no worker, the first 500 in line", async () => {
    const { dispatcher, another } = await openDispatcher(databases);
    const receiver = await openReceiver();
    const endpoint = await holdMany(dispatcher, receiver, 600);
    const other = await holdMany(dispatcher, receiver, 10);
    await dispatcher.endpoints.enable(endpoint);
    expect((await dispatcher.health()).queue).toMatchObject({ due: 500, held: 110 });
    await another().start();
    await receiver.waitFor(600);
    await dispatcher.endpoints.delete(other);
    const { deliveries } = await until(async () => {
      const page = await dispatcher.deliveries.list({ tenantId: TENANT, endpointId: other.id, status: "dead" });
      return page.deliveries.length === 10 && page;
    });
    expect(deliveries.every(({ ending }) => ending === "endpoint_deleted")).toBe(true);
    expect(receiver.requests).toHaveLength(600);
  });

  it("ends at once what was held for an endpoint that is deleted", async () => {
    const clock = createVirtualClock();
    const { dispatcher, database, schema } = await openDispatcher(databases, { clock });
    const receiver = await openReceiver();
    const endpoint = await holdMany(dispatcher, receiver, 200);
    await dispatcher.start();
    expect(await dispatcher.endpoints.delete(endpoint)).toBe(true);
    await until(async () => (await database.query(`select from ${schema}.queue limit 1`)).length === 0);
    expect(receiver.requests).toHaveLength(0);
  });
});
