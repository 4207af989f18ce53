import { describeMatrix } from "@hookline/postgres/testing";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openReceiver, TENANT, until } from "./open-dispatcher.js";
import { openHttp } from "./open-http.js";

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  const open = () => openHttp(databases);

  it("W1 makes an endpoint, shows its secret once, changes and deletes it", async () => {
    const { call } = await open();
    const made = await call("POST", "/v1/endpoints", {
      body: { name: "crm", url: "https://example.com/hook", events: ["ticket.*"], headers: { "x-team": "a" } },
    });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ name: "crm", url: "https://example.com/hook", scheme: "standard-webhooks" });
    expect(made.body.secret).toMatch(/^whsec_/);

    const path = `/v1/endpoints/${made.body.id}`;
    expect((await call("GET", path)).body).not.toHaveProperty("secret");
    const changed = await call("PATCH", path, { body: { url: "https://example.com/other", active: false } });
    expect(changed.body).toMatchObject({ url: "https://example.com/other", active: false, events: ["ticket.*"] });
    expect((await call("GET", "/v1/endpoints")).body.endpoints).toHaveLength(1);
    expect((await call("DELETE", path)).status).toBe(204);
    expect((await call("GET", path)).status).toBe(404);
  });

  it("W2 answers 404 to another tenant's id, whatever is asked", async () => {
    const { call } = await open();
    const made = await call("POST", "/v1/endpoints", { body: { url: "https://example.com/hook", events: ["*"] } });
    const path = `/v1/endpoints/${made.body.id}`;
    for (const [method, body] of [["GET"], ["PATCH", { active: false }], ["DELETE"]] as [string, unknown][]) {
      expect((await call(method, path, { as: "theirs", body })).status).toBe(404);
    }
    for (const action of ["rotate-secret", "test"]) {
      expect((await call("POST", `${path}/${action}`, { as: "theirs" })).status).toBe(404);
    }
    expect((await call("GET", "/v1/endpoints", { as: "theirs" })).body.endpoints).toEqual([]);
    expect((await call("GET", path)).body.active).toBe(true);
  });

  it("W8 answers 401 without credentials", async () => {
    const { call } = await open();
    for (const path of ["/v1/endpoints", "/v1/deliveries", "/v1/webhooks"].flatMap((each) => [each, `${each}/x`])) {
      expect(await call("GET", path, { as: "nobody" })).toMatchObject({ status: 401, body: { code: "unauthorized" } });
    }
  });

  it("refuses bad input with a code and the field at fault", async () => {
    const { call, routes } = await open();
    const endpoint = { url: "https://example.com/hook", events: ["*"] };
    expect(await call("POST", "/v1/endpoints", { body: "{ nope" })).toMatchObject({
      status: 400,
      body: { code: "invalid_json" },
    });
    const headers = { authorization: "Bearer ours", "content-type": "text/plain" };
    const untyped = await routes.request("/v1/endpoints", { method: "POST", headers, body: JSON.stringify(endpoint) });
    expect(untyped.headers.get("content-type")).toBe("application/problem+json");
    expect(await untyped.json()).toMatchObject({ status: 415, code: "bad_request", detail: "Unsupported Media Type" });
    expect(await call("POST", "/v1/endpoints", { body: { ...endpoint, events: [] } })).toMatchObject({
      status: 400,
      body: { code: "validation_failed", errors: [{ pointer: "/body/events" }] },
    });
    expect(await call("POST", "/v1/endpoints", { body: { ...endpoint, headers: { host: "evil" } } })).toMatchObject({
      status: 400,
      body: { code: "invalid_endpoint", errors: [{ pointer: "/body/headers/host" }] },
    });
    expect(await call("POST", "/v1/endpoints", { body: { ...endpoint, name: "a" } })).toMatchObject({ status: 201 });
    expect(await call("POST", "/v1/endpoints", { body: { ...endpoint, name: "a" } })).toMatchObject({
      status: 409,
      body: { code: "name_taken" },
    });
    const github = { ...endpoint, scheme: "github", secret: "short-pw" };
    const { id } = (await call("POST", "/v1/endpoints", { body: github })).body;
    expect(await call("PATCH", `/v1/endpoints/${id}`, { body: { scheme: "standard-webhooks" } })).toMatchObject({
      status: 400,
      body: { code: "invalid_endpoint", errors: [{ pointer: "/body/scheme" }] },
    });
    expect(await call("GET", "/v1/deliveries?cursor=nonsense")).toMatchObject({ status: 400 });
    expect(await call("GET", "/v1/deliveries/dlv_none")).toMatchObject({
      status: 404,
      body: { code: "delivery_not_found" },
    });
  });

  it("refuses ids and cursors that no database can read", async () => {
    const { dispatcher, call } = await open();
    for (const id of ["%00", "a%00b", "%C3%A9", "a%1Eb", "x".repeat(129)]) {
      for (const [method, path] of [
        ["GET", `/v1/deliveries/${id}`],
        ["POST", `/v1/deliveries/${id}/retry`],
        ["GET", `/v1/deliveries?endpointId=${id}`],
        ["GET", `/v1/deliveries?eventId=${id}`],
        ["GET", `/v1/endpoints/${id}`],
        ["DELETE", `/v1/endpoints/${id}`],
        ["POST", `/v1/endpoints/${id}/test`],
        ["POST", `/v1/endpoints/${id}/rotate-secret`],
        ["GET", `/v1/webhooks/${id}`],
        ["GET", `/v1/webhooks/${id}/deliveries`],
      ] as const) {
        expect([path, await call(method, path)]).toMatchObject([
          path,
          { status: 400, body: { code: "validation_failed" } },
        ]);
      }
    }
    const cursorOf = (place: unknown) => Buffer.from(JSON.stringify(place)).toString("base64url");
    for (const place of [["dlv_\u0000"], ["a\u001eb"], [""], [1], [["dlv_x"]], ["dlv_x", "dlv_y"], [], "d", null, {}]) {
      for (const list of ["/v1/deliveries", "/v1/endpoints"]) {
        const listed = await call("GET", `${list}?cursor=${cursorOf(place)}`);
        expect([place, listed]).toMatchObject([place, { status: 400, body: { code: "invalid_cursor" } }]);
      }
    }
    const times = [
      "0000-01-01T00:00:00.000Z",
      "+275760-09-13T00:00:00.000Z",
      "-000001-01-01T00:00:00.000Z",
      "Jan 1 2024",
    ];
    for (const time of [...times, "2024-02-31T00:00:00.000Z", "12", "\u0000", ""]) {
      const cursor = cursorOf([time, "evt_x"]);
      await expect(dispatcher.events.list({ tenantId: TENANT, cursor })).rejects.toMatchObject({
        code: "invalid_cursor",
      });
    }
    const cursor = cursorOf(["2024-02-29T00:00:00.000Z", "evt_x"]);
    expect(await dispatcher.events.list({ tenantId: TENANT, cursor })).toEqual({ events: [], nextCursor: null });
    expect(await call("GET", `/v1/deliveries?cursor=${cursorOf(["dlv_x"])}`)).toMatchObject({ status: 200 });
  });

  it("W5 lists deliveries, shows their attempts, and retries one that is finished", async () => {
    const { dispatcher, call } = await open();
    const receiver = await openReceiver();
    await dispatcher.start();
    const made = await call("POST", "/v1/endpoints", { body: { url: receiver.url, events: ["*"] } });
    receiver.useSecret(made.body.secret);
    const { id: eventId } = await dispatcher.publish({ tenantId: TENANT, type: "ticket.created", data: { n: 1 } });

    const delivered = await until(async () => {
      const { body } = await call("GET", `/v1/deliveries?eventId=${eventId}&status=delivered`);
      return body.deliveries[0];
    });
    const detail = await call("GET", `/v1/deliveries/${delivered.id}`);
    expect(detail.body.log).toMatchObject([{ attempt: 1, outcome: "delivered", status: 200 }]);
    expect(JSON.stringify(detail.body)).not.toContain(made.body.secret);

    expect((await call("POST", `/v1/deliveries/${delivered.id}/retry`)).status).toBe(202);
    await until(async () => receiver.requests.length === 2);
    expect(new Set(receiver.requests.map(({ headers }) => headers["webhook-id"]))).toEqual(new Set([eventId]));
  });

  it("E14 W8 rotates a secret, shows the new one once, and signs with both", async () => {
    const { dispatcher, call } = await open();
    const receiver = await openReceiver();
    await dispatcher.start();
    const { body: made } = await call("POST", "/v1/endpoints", { body: { url: receiver.url, events: ["*"] } });
    const path = `/v1/endpoints/${made.id}`;
    const rotated = await call("POST", `${path}/rotate-secret`);
    expect(rotated).toMatchObject({ status: 200, body: { id: made.id, secret: expect.stringMatching(/^whsec_/) } });
    expect(Date.parse(rotated.body.overlapEndsAt)).toBeGreaterThan(Date.now() + 23 * 3_600_000);
    await dispatcher.publish({ tenantId: TENANT, type: "ticket.created", data: { n: 1 } });
    const [request] = await receiver.waitFor(1);
    for (const secret of [made.secret, rotated.body.secret]) {
      expect(new Webhook(secret).verify(request?.body ?? "", request?.headers ?? {})).toMatchObject({ data: { n: 1 } });
    }

    const revoked = await call("POST", `${path}/rotate-secret`, {
      body: { secret: `whsec_${"QUJD".repeat(8)}`, overlapMs: 0 },
    });
    expect(revoked).toMatchObject({ status: 200, body: { secret: `whsec_${"QUJD".repeat(8)}` } });
    expect(await call("POST", `${path}/rotate-secret`, { body: { secret: revoked.body.secret } })).toMatchObject({
      status: 409,
      body: { code: "secret_unchanged", errors: [{ pointer: "/body/secret" }] },
    });
    expect(await call("POST", `${path}/rotate-secret`, { body: { overlapMs: -1 } })).toMatchObject({ status: 400 });
    expect((await call("GET", path)).body).not.toHaveProperty("secret");
  });

  it("W1 W9 takes, shows, changes and clears everything that an endpoint has", async () => {
    const { call } = await openHttp(databases);
    const fields = {
      name: "shop",
      url: "https://example.com/",
      events: ["ticket.*"],
      description: "The shop",
      metadata: { team: "shop" },
      condition: { priority: { $gte: 2 } },
      template: '{"text":"{{ data.title }}"}',
    };
    const { body: made } = await call("POST", "/v1/endpoints", { body: fields });
    expect(made).toMatchObject({ ...fields, verification: "none", clientCertificate: false });
    const path = `/v1/endpoints/${made.id}`;
    expect((await call("GET", path)).body).toMatchObject(fields);
    const changed = { description: "Ours", metadata: { a: "b" }, condition: { n: 1 }, template: '{"a":1}' };
    expect((await call("PATCH", path, { body: changed })).body).toMatchObject({ ...fields, ...changed });
    const nothing = { name: null, description: null, metadata: null, condition: null, template: null, tls: null };
    expect((await call("PATCH", path, { body: nothing })).body).toMatchObject({
      url: fields.url,
      name: null,
      description: null,
      metadata: {},
      condition: null,
      template: null,
    });
    for (const [body, pointer] of [
      [{ ...fields, condition: { a: { $where: "1" } } }, "/body/condition/a/$where"],
      [{ ...fields, template: "{% if %}" }, "/body/template"],
      [{ ...fields, tls: { ca: "x" } }, "/body/tls/ca"],
      [{ ...fields, tls: { insecure: true } }, "/body/tls/insecure"],
      [{ ...fields, metadata: { a: 1 } }, "/body/metadata/a"],
    ] as const) {
      expect(await call("POST", "/v1/endpoints", { body })).toMatchObject({
        status: 400,
        body: { errors: [{ pointer }] },
      });
    }
  });

  it("W7 tests an endpoint and answers with the attempt", async () => {
    const { call } = await open();
    const receiver = await openReceiver();
    const { body: made } = await call("POST", "/v1/endpoints", { body: { url: receiver.url, events: ["ticket.*"] } });
    receiver.useSecret(made.secret);
    const tested = await call("POST", `/v1/endpoints/${made.id}/test`);
    expect(tested).toMatchObject({ status: 200, body: { attempt: { outcome: "delivered", status: 200 } } });
    expect(receiver.requests).toMatchObject([{ verified: true, headers: { "webhook-id": tested.body.eventId } }]);
    expect((await call("GET", `/v1/deliveries/${tested.body.deliveryId}`)).body.log).toEqual([tested.body.attempt]);
    expect(await call("POST", `/v1/endpoints/${made.id}/test`, { body: { type: "ticket.created" } })).toMatchObject({
      status: 400,
      body: { code: "invalid_event", errors: [{ pointer: "/body/type" }] },
    });
  });
});
