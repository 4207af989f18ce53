import { createHmac } from "node:crypto";
import { expect, it } from "vitest";
import type { AppOptions, NewStoredSource } from "../src/index.js";
import { openSources } from "./support/sources.js";
import { callHeaders, type MadeSource, TENANT, TICKET, TICKET_SOURCE } from "./support/stored-sources.js";
import { counts, describeMatrix, tableText, until } from "./support/world.js";

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into field by field
type Json = any;

describeMatrix("requests for stored sources", (databases) => {
  async function open(over: Partial<NewStoredSource> = {}, app: AppOptions = {}, start = false) {
    const world = await openSources(databases, [], { app, start });
    const source = await world.engine.sources.create({ ...TICKET_SOURCE, ...over });
    const callBy = (method: string) => async (path: string, body: string, headers: Record<string, string>) => {
      const response = await fetch(world.url + path, { method, headers, ...(method === "GET" ? {} : { body }) });
      return { status: response.status, headers: response.headers, body: (await response.json()) as Json };
    };
    const call = callBy("POST");
    const send = (payload: unknown, headers: Record<string, string> = {}, by: MadeSource = source) => {
      const body = JSON.stringify(payload);
      return call(source.path, body, { ...callHeaders(by, body), ...headers });
    };
    const reasons = async () =>
      (await world.engine.sources.refusals({ tenantId: TENANT })).refusals.map(({ reason }) => reason);
    return { ...world, source, callBy, call, send, reasons };
  }

  it("E7 E11 E12 takes what fits its fields, answers the execution's id, and runs the automation that waits for it", async () => {
    const { engine, send, source, dispatcher } = await open({}, {}, true);
    const steps = [
      {
        id: "ticket",
        action: "event.publish",
        input: {
          type: "triage.created",
          data: { name: "{{ ticketTitle }} by @{{ userName }}", priority: "{{ priority }}" },
        },
      },
    ];
    const automation = { tenantId: TENANT, name: "Triage", trigger: { events: [source.eventType] }, steps };
    const { id: automationId } = await engine.automations.create(automation);
    await engine.automations.activate({ tenantId: TENANT, id: automationId });

    const payload = { ...TICKET, attachmentUrls: ["https://example.com/a.png"], further: "kept" };
    const answer = await send(payload);
    expect([answer.status, answer.body]).toEqual([
      200,
      { status: "success", executionId: expect.stringMatching(/^exe_/) },
    ]);
    const id = answer.body.executionId;
    const execution = await engine.sources.execution({ tenantId: TENANT, id });
    expect(execution).toMatchObject({ sourceId: source.id, status: "succeeded", payload: JSON.stringify(payload) });
    const eventIds = execution?.eventIds ?? [];
    const runs = () => engine.automations.executionsOfEvents({ tenantId: TENANT, eventIds });
    await until(async () => (await runs())[0]?.status === "succeeded");
    expect(await runs()).toMatchObject([{ automationId, eventId: eventIds[0], eventType: "source.discord-ticket" }]);
    const { events } = await dispatcher.events.list({ tenantId: TENANT });
    expect(events).toMatchObject([
      { type: "triage.created", data: { name: "Cannot sign in by @anna", priority: 1 } },
      { id: eventIds[0], type: "source.discord-ticket", data: payload },
    ]);
  });

  it("E7 H2 puts an event into the timeline of the contact that its fields name", async () => {
    const customer = { name: "customer", type: "string", identity: "email" } as const;
    const { send, engine, source } = await open({ fields: [customer] });
    expect((await send({ customer: "Jo@Example.com", n: 1 })).status).toBe(200);
    const contact = await engine.contacts.findByIdentity({ tenantId: TENANT, kind: "email", value: "jo@example.com" });
    const timeline = await engine.contacts.timeline({ tenantId: TENANT, contactId: contact?.id ?? "" });
    expect(timeline?.events).toMatchObject([{ type: source.eventType, data: { customer: "Jo@Example.com", n: 1 } }]);
    expect((await send({ n: 2 })).status).toBe(200);
    expect(await send({ customer: "nobody" })).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: "/body/customer", message: "must be an email address" }] },
    });
    const fields = [{ name: "n", type: "number", identity: "email" } as const];
    await expect(engine.sources.update({ tenantId: TENANT, id: source.id }, { fields })).rejects.toMatchObject({
      code: "invalid_source",
    });
  });

  it("E7 answers 400 with the error of each field, and counts null as missing", async () => {
    const world = await open();
    const wrong = {
      userName: 7,
      userId: null,
      ticketTitle: "x",
      priority: "1",
      urgent: "yes",
      attachmentUrls: { 0: "a" },
      context: ["a"],
    };
    const answer = await world.send(wrong);
    expect(answer).toMatchObject({ status: 400, body: { code: "validation_failed" } });
    expect(answer.body.errors).toEqual([
      { pointer: "/body/userName", message: "must be a string" },
      { pointer: "/body/userId", message: "is required" },
      { pointer: "/body/ticketDescription", message: "is required" },
      { pointer: "/body/priority", message: "must be a number" },
      { pointer: "/body/urgent", message: "must be a boolean" },
      { pointer: "/body/attachmentUrls", message: "must be an array" },
      { pointer: "/body/context", message: "must be an object" },
    ]);
    for (const body of [[TICKET], null, "text"]) {
      expect((await world.send(body)).body.errors).toEqual([{ pointer: "/body", message: "must be an object" }]);
    }
    const huge = JSON.stringify(TICKET).replace('"priority":1', '"priority":1e999');
    expect((await world.call(world.source.path, huge, callHeaders(world.source, huge))).body.errors).toEqual([
      { pointer: "/body/priority", message: "must be a number" },
    ]);
    const text = "{ not json";
    expect(await world.call(world.source.path, text, callHeaders(world.source, text))).toMatchObject({
      status: 400,
      body: { code: "invalid_json" },
    });
    expect(await counts(world)).toMatchObject({ events: 0 });
    expect((await world.send({ ...TICKET, priority: null, context: {} })).status).toBe(200);
  });

  it("E7 takes its own method and name, and is not there under others", async () => {
    const { source, call, callBy } = await open({ method: "PUT" });
    const put = callBy("PUT");
    const body = JSON.stringify(TICKET);
    const headers = callHeaders(source, body);
    const posted = await call(source.path, body, headers);
    expect([posted.status, posted.headers.get("allow"), posted.body.code]).toEqual([405, "PUT", "method_not_allowed"]);
    expect((await callBy("GET")(source.path, body, headers)).status).toBe(405);
    for (const path of [
      `/automation/${source.id}/discord-tickets`,
      `/automation/src_0/discord-ticket`,
      `/automation/${source.id.toUpperCase()}/discord-ticket`,
      "/automation/%00/discord-ticket",
    ]) {
      const answer = await put(path, body, headers);
      expect([answer.status, answer.body.code]).toEqual([404, "source_not_found"]);
    }
    expect((await put(source.path, body, headers)).status).toBe(200);
  });

  it("E8 E13 asks for bearer token and signature, in either form of erxes, and records whom it refused", async () => {
    const { engine, source, call, reasons, logged, ...world } = await open();
    const body = JSON.stringify(TICKET);
    const good = callHeaders(source, body);
    const { authorization, ...unbearing } = good;
    const only = (form: "documented" | "server", over: Record<string, string> = {}) => ({
      ...callHeaders(source, body, { form }),
      ...over,
    });
    const stale = callHeaders(source, body, { ageSeconds: 302 });
    const hmac = (key: string, text = body) => `sha256=${createHmac("sha256", key).update(text).digest("hex")}`;
    const cases: [string, Record<string, string>][] = [
      ["bearer_missing", unbearing],
      ["bearer_mismatch", { ...good, authorization: `${authorization}x` }],
      ["missing_header", { authorization: authorization ?? "" }],
      ["signature_mismatch", only("documented", { "x-erxes-signature": hmac(source.secret ?? "") })],
      ["signature_mismatch", only("server", { "x-hub-signature-256": hmac("another secret entirely") })],
      // The documented form counts where it is there, whatever else is.
      ["signature_mismatch", { ...good, "x-erxes-signature": hmac("another secret entirely") }],
      ["timestamp_too_old", stale],
      ["timestamp_too_old", only("server", { "x-timestamp": `${Date.now() - 302_000}` })],
      ["missing_header", { ...only("server"), "x-timestamp": "" }],
      ["malformed_header", only("server", { "x-hub-signature-256": hmac(source.secret ?? "").slice(7) })],
    ];
    for (const [code, headers] of cases) {
      const answer = await call(source.path, body, headers);
      expect([answer.status, answer.body.code]).toEqual([401, code]);
    }
    expect((await reasons()).sort()).toEqual(cases.map(([code]) => code).sort());
    expect(await counts(world)).toMatchObject({ events: 0 });
    const kept = (await tableText(world, "source_refusals")) + (await tableText(world, "sources")) + logged();
    for (const secret of [source.bearerToken, source.secret, TICKET.ticketTitle]) expect(kept).not.toContain(secret);

    const texts = [TICKET, { ...TICKET, userId: "2" }, { ...TICKET, userId: "3" }].map((one) => JSON.stringify(one));
    const timestamp = { "x-timestamp": `${Date.now()}`, authorization: authorization ?? "" };
    for (const [text, headers] of [
      [texts[0], callHeaders(source, texts[0] ?? "", { form: "server" })],
      [texts[1], { ...timestamp, "x-signature": hmac(source.secret ?? "", texts[1]) }],
      [texts[2], { ...timestamp, signature: hmac(source.secret ?? "", texts[2]) }],
    ] as [string, Record<string, string>][]) {
      expect((await call(source.path, text, headers)).status).toBe(200);
    }
  });

  it("E8 accepts a request once, also when its copy shows another form of the signature", async () => {
    const { source, call, engine } = await open();
    const body = JSON.stringify(TICKET);
    const nowMs = Date.now();
    const both = callHeaders(source, body, { nowMs });
    expect((await call(source.path, body, both)).status).toBe(200);
    const server = callHeaders(source, body, { form: "server", nowMs });
    for (const copy of [both, server, { ...server, "x-timestamp": `${Date.now() + 1000}` }]) {
      const answer = await call(source.path, body, copy);
      expect([answer.status, answer.body.code]).toEqual([409, "replayed"]);
    }
    // The sender signs the same words again: the signed time tells it from a copy.
    expect((await call(source.path, body, callHeaders(source, body, { ageSeconds: 1, nowMs }))).status).toBe(200);
    const { totals } = await engine.sources.executions({ sourceId: source.id });
    expect(totals).toMatchObject({ succeeded: 2, duplicate: 0 });
  });

  it("E8 one of several copies at once is accepted; with preventReplay off each of them is", async () => {
    const { source, call, engine } = await open();
    const again = await engine.sources.create({ ...TICKET_SOURCE, endpoint: "again", preventReplay: false });
    const body = JSON.stringify(TICKET);
    const statuses = async (to: MadeSource, headers: Record<string, string>) =>
      (await Promise.all(Array.from({ length: 5 }, () => call(to.path, body, headers)))).map(({ status }) => status);
    expect((await statuses(source, callHeaders(source, body))).sort()).toEqual([200, 409, 409, 409, 409]);
    expect(await statuses(again, callHeaders(again, body))).toEqual(Array(5).fill(200));
    // As the erxes server: without replay prevention it asks for no time.
    const { "x-timestamp": _time, ...timeless } = callHeaders(again, body, { form: "server" });
    expect((await call(again.path, body, timeless)).status).toBe(200);
  });

  it("E8 keeps to its networks, IPv4 and IPv6, as a trusted proxy tells the address", async () => {
    const allowedAddresses = ["203.0.113.0/25", "2001:db8:1::/48"];
    const { send, reasons } = await open({ allowedAddresses, preventReplay: false }, { trustProxy: 1 });
    const statusFrom = async (address: string) => (await send(TICKET, { "x-forwarded-for": address })).status;
    for (const address of ["203.0.113.127", "2001:db8:1:ff::1", "::ffff:203.0.113.1"]) {
      expect(await statusFrom(address)).toBe(200);
    }
    for (const address of ["203.0.113.128", "2001:db8:2::1", "203.0.113.1, 198.51.100.1"]) {
      expect(await statusFrom(address)).toBe(403);
    }
    expect(await reasons()).toEqual(Array(3).fill("address_not_allowed"));
  });

  it("E8 believes no X-Forwarded-For unless proxies are trusted", async () => {
    const { send } = await open({ allowedAddresses: ["203.0.113.7"] });
    expect((await send(TICKET, { "x-forwarded-for": "203.0.113.7" })).status).toBe(403);
  });

  it("E9 takes 100 requests a minute per source and address, then answers 429 with the standard headers", async () => {
    const { call, source, engine, reasons } = await open({}, { trustProxy: 1 });
    const other = await engine.sources.create({ ...TICKET_SOURCE, endpoint: "other" });
    const from = (address: string, to = source) => call(to.path, "{}", { "x-forwarded-for": address });
    const statuses: number[] = [];
    for (let n = 0; n < 100; n++) statuses.push((await from("203.0.113.7")).status);
    expect(statuses).toEqual(Array(100).fill(401));
    for (let n = 0; n < 2; n++) {
      const answer = await from("203.0.113.7");
      expect([answer.status, answer.body.code]).toEqual([429, "rate_limited"]);
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(answer.headers.get("ratelimit-policy")).toBe('"discord-ticket";q=100;w=60');
      expect(answer.headers.get("ratelimit")).toMatch(/^"discord-ticket";r=0;t=\d+$/);
    }
    expect((await from("203.0.113.8")).status).toBe(401);
    expect((await from("203.0.113.7", other)).status).toBe(401);
    expect((await reasons()).filter((reason) => reason === "rate_limited")).toHaveLength(1);
  });

  it("E9 looks up no more than 100 sources a minute and address that do not exist, and goes on to take those that do", async () => {
    const { call, send, source, engine } = await open({ preventReplay: false }, { trustProxy: 1 });
    const sent = async (from: string) => (await send(TICKET, { "x-forwarded-for": from })).status;
    // By whatever address: this process has found it.
    expect(await sent("192.0.2.3")).toBe(200);
    const guess = (nth: number, from: string) =>
      call(`/automation/src_guess${nth}/discord-ticket`, "{}", { "x-forwarded-for": from });
    const guesses = await Promise.all(Array.from({ length: 100 }, (_, nth) => guess(nth, "192.0.2.1")));
    expect(new Set(guesses.map(({ status }) => status))).toEqual(new Set([404]));
    const refused = await guess(100, "192.0.2.1");
    expect([refused.status, refused.body.code]).toEqual([429, "rate_limited"]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await sent("192.0.2.1")).toBe(200);
    expect((await guess(101, "192.0.2.2")).status).toBe(404);
    expect(await sent("192.0.2.2")).toBe(200);
    // One that is deleted is a miss like any other.
    await engine.sources.delete({ tenantId: TENANT, id: source.id });
    expect([await sent("192.0.2.1"), await sent("192.0.2.1")]).toEqual([404, 429]);
  });

  it("E9 takes as many requests and as large bodies as it was made for, from the next request after a change", async () => {
    const { call, send, source, engine } = await open({ requestsPerMinute: 2, maxBodyBytes: 1024 });
    expect((await send({ ...TICKET, further: "x".repeat(1024) })).status).toBe(413);
    expect((await call(source.path, "{}", {})).status).toBe(401);
    const refused = await send(TICKET);
    expect([refused.status, refused.headers.get("ratelimit-policy")]).toEqual([429, '"discord-ticket";q=2;w=60']);
    await engine.sources.update({ tenantId: TENANT, id: source.id }, { requestsPerMinute: 10, maxBodyBytes: 4096 });
    expect((await send({ ...TICKET, further: "x".repeat(1024) })).status).toBe(200);
  });

  it("E13 is not there while it is not active, and says so in its refusals", async () => {
    const { send, source, engine, reasons } = await open();
    const reference = { tenantId: TENANT, id: source.id };
    await engine.sources.deactivate(reference);
    const answer = await send(TICKET);
    expect([answer.status, answer.body.code]).toEqual([404, "source_not_found"]);
    expect(await reasons()).toEqual(["inactive"]);
    await engine.sources.activate(reference);
    expect((await send(TICKET)).status).toBe(200);
    await engine.sources.delete(reference);
    expect((await send({ ...TICKET, userId: "2" })).status).toBe(404);
    expect(await reasons()).toEqual(["inactive"]);
  });

  it("E8 takes requests from anybody only when it was made open by name", async () => {
    const { call, source, reasons } = await open({ bearerToken: null, secret: null, open: true });
    const body = JSON.stringify(TICKET);
    for (let tries = 0; tries < 2; tries++) expect((await call(source.path, body, {})).status).toBe(200);
    expect((await call(source.path, `{"a":"${"x".repeat(256 * 1024)}"}`, {})).status).toBe(413);
    expect(await reasons()).toEqual(["body_too_large"]);
  });
});
