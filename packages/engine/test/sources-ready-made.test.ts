import { createHmac } from "node:crypto";
import { expect, it } from "vitest";
import { supportSource, xtsystemsSource } from "../src/index.js";
import { openSources } from "./support/sources.js";
import { counts, describeEmbedded, describeMatrix } from "./support/world.js";

const SECRET = "the secret of this platform";
const hmac = (text: string, secret = SECRET) => createHmac("sha256", secret).update(text).digest("hex");

const machine = (over: object = {}) =>
  JSON.stringify({
    event_type: "machine.registered",
    data: { machine: { id: 7, hostname: "wks-7" } },
    company_id: 3,
    timestamp: 1_767_225_600,
    ...over,
  });

/** As the platform signs: the timestamp in seconds, directly followed by the body. */
function xtsystemsHeaders(body: string, timestamp = Math.floor(Date.now() / 1000)) {
  return {
    "content-type": "application/json",
    "x-xtsystems-timestamp": String(timestamp),
    "x-xtsystems-signature": `sha256=${hmac(timestamp + body)}`,
  };
}

describeMatrix("xtsystemsSource", (databases) => {
  it("X1 takes what the platform signs as an event of its type and time, once over its tries", async () => {
    const world = await openSources(databases, [xtsystemsSource({ secrets: [SECRET], tenantId: "acme" })]);
    const nowSeconds = Math.floor(Date.now() / 1000);
    for (const ageSeconds of [2, 1, 0]) {
      const headers = xtsystemsHeaders(machine(), nowSeconds - ageSeconds);
      const answer = await world.post("/webhooks/xtsystems", machine(), headers);
      expect([answer.status, await answer.json()]).toMatchObject([200, { status: "success" }]);
    }
    const { events } = await world.dispatcher.events.list({ tenantId: "acme" });
    expect(events).toMatchObject([
      { type: "machine.registered", timestamp: "2026-01-01T00:00:00.000Z", data: { machine: { id: 7 } } },
    ]);
  });
});

describeEmbedded("xtsystemsSource without a time in the body", (databases) => {
  it("X1 takes what the bot's own documents show: it happened when it came, and once over the tries", async () => {
    const world = await openSources(databases, [xtsystemsSource({ secrets: [SECRET], tenantId: "acme" })]);
    const body = JSON.stringify({ event_type: "ticket.created", data: { id: "ticket-uuid", title: "Network Issue" } });
    const nowSeconds = Math.floor(Date.now() / 1000);
    for (const ageSeconds of [2, 1, 0]) {
      const { status } = await world.post("/webhooks/xtsystems", body, xtsystemsHeaders(body, nowSeconds - ageSeconds));
      expect(status).toBe(200);
    }
    const test = JSON.stringify({ event_type: "webhook.test", data: {} });
    expect((await world.post("/webhooks/xtsystems", test, xtsystemsHeaders(test))).status).toBe(200);
    const { events } = await world.dispatcher.events.list({ tenantId: "acme" });
    const { executions } = await world.engine.sources.executions({ tenantId: "acme", sourceId: "xtsystems" });
    expect(events).toMatchObject([{ type: "ticket.created", timestamp: executions.at(-1)?.receivedAt }]);
  });
});

describeEmbedded("xtsystemsSource's bounds", (databases) => {
  const open = () => openSources(databases, [xtsystemsSource({ secrets: [SECRET] })], { app: { trustProxy: 1 } });

  it("X1 keeps a window of five minutes, and refuses a separator, milliseconds and another secret", async () => {
    const world = await open();
    const nowSeconds = Math.floor(Date.now() / 1000);
    const body = machine();
    const headers = xtsystemsHeaders(body);
    const cases: [number, Record<string, string>][] = [
      [200, xtsystemsHeaders(body, nowSeconds - 290)],
      [200, xtsystemsHeaders(body, nowSeconds + 290)],
      [401, xtsystemsHeaders(body, nowSeconds - 310)],
      [401, xtsystemsHeaders(body, nowSeconds + 310)],
      [401, xtsystemsHeaders(body, Date.now())],
      [401, { ...headers, "x-xtsystems-signature": `sha256=${hmac(`${nowSeconds}.${body}`)}` }],
      [401, { ...headers, "x-xtsystems-signature": `sha256=${hmac(nowSeconds + body, "another secret entirely")}` }],
    ];
    for (const [status, sent] of cases) {
      expect((await world.post("/webhooks/xtsystems", body, sent)).status).toBe(status);
    }
    expect(await counts(world)).toMatchObject({ events: 1, contacts: 0 });
  });

  it("X7 takes 100 requests in 15 minutes and address", async () => {
    const { post } = await open();
    const call = (address: string) => post("/webhooks/xtsystems", "{}", { "x-forwarded-for": address });
    const statuses: number[] = [];
    for (let n = 0; n < 101; n++) statuses.push((await call("203.0.113.7")).status);
    expect(statuses).toEqual([...Array(100).fill(401), 429]);
    const other = await call("203.0.113.8");
    expect([other.status, other.headers.get("ratelimit-policy")]).toEqual([401, '"xtsystems";q=100;w=900']);
  });

  it("X1 answers the platform's test without an event, and 400 to what has another form", async () => {
    const world = await open();
    const send = (body: string) => world.post("/webhooks/xtsystems", body, xtsystemsHeaders(body));
    expect((await send(machine({ event_type: "webhook.test", data: { message: "Test" } }))).status).toBe(200);
    for (const over of [{ event_type: "" }, { data: [] }, { timestamp: "2026-01-01" }, { timestamp: 1e15 }]) {
      expect((await send(machine(over))).status).toBe(400);
    }
    expect((await send(machine({ event_type: "Not A Type" }))).status).toBe(422);
    expect(await counts(world)).toMatchObject({ events: 0 });
  });
});

const ticket = (data: object = {}) =>
  JSON.stringify({
    event: "ticket.create",
    data: {
      subject: "Cannot sign in",
      message: "It says no.",
      customer_email: "Jo@Example.com",
      customer_name: "Jo",
      priority: "medium",
      category: "Technical",
      ...data,
    },
  });

describeEmbedded("supportSource", (databases) => {
  it("A1 takes a signed ticket.create as an event of the customer, and refuses an unsigned one", async () => {
    const world = await openSources(databases, [supportSource({ secrets: [SECRET], tenantId: "acme" })]);
    const send = (body: string, signature?: string) =>
      world.post("/api/webhooks/receive", body, {
        "content-type": "application/json",
        ...(signature === undefined ? {} : { "x-webhook-signature": signature }),
      });
    expect((await send(ticket())).status).toBe(401);
    expect((await send(ticket(), hmac(`${ticket()} `))).status).toBe(401);
    expect(await counts(world)).toMatchObject({ contacts: 0, events: 0 });

    expect((await send(ticket(), hmac(ticket()))).status).toBe(200);
    const who = { tenantId: "acme", kind: "email", value: "jo@example.com" };
    const contact = await world.engine.contacts.findByIdentity(who);
    expect(contact?.properties).toEqual({ name: "Jo" });
    const { events } = await world.dispatcher.events.list({ tenantId: "acme" });
    expect(events).toMatchObject([
      { type: "ticket.create", subjectId: contact?.id, data: { subject: "Cannot sign in", priority: "medium" } },
    ]);
    expect((await send(ticket(), hmac(ticket()))).status).toBe(409);
    expect(await counts(world)).toMatchObject({ events: 1 });
  });

  it("A1 open by name, takes the seed's smallest ticket from anybody and names each wrong field", async () => {
    const world = await openSources(databases, [supportSource({ open: true })]);
    const send = (body: string) => world.post("/api/webhooks/receive", body, { "content-type": "application/json" });
    const smallest = ticket({ customer_name: undefined, priority: undefined, category: undefined });
    expect((await send(smallest)).status).toBe(200);
    expect((await send(smallest)).status).toBe(200);
    const wrong = await send(ticket({ subject: "", customer_email: "nobody" }));
    expect(wrong.status).toBe(400);
    const { errors } = (await wrong.json()) as { errors: { pointer: string }[] };
    expect(errors.map(({ pointer }) => pointer).sort()).toEqual(["/body/data/customer_email", "/body/data/subject"]);
    expect((await send(JSON.stringify({ event: "ticket.delete", data: {} }))).status).toBe(400);
    expect(await counts(world)).toMatchObject({ contacts: 1, events: 2 });
  });
});
