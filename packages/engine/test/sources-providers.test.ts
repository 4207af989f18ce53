import { github, type Scheme, sign, standardWebhooks, stripe } from "@hookline/webhook-signing";
import { expect, it } from "vitest";
import { githubSource, standardWebhooksSource, stripeSource } from "../src/index.js";
import { openSources, SECRET } from "./support/sources.js";
import { counts, describeEmbedded } from "./support/world.js";

const tenantId = "acme";
const secrets = [SECRET];
const nowSeconds = () => Math.floor(Date.now() / 1000);

describeEmbedded("githubSource", (databases) => {
  const open = () => openSources(databases, [githubSource({ secrets, tenantId })]);
  const signed = (body: string, event: string) => ({
    ...sign(body, { scheme: github, secrets }),
    "content-type": "application/json",
    ...(event === "" ? {} : { "x-github-event": event }),
  });

  it("takes what GitHub signs as an event of its name and action, once", async () => {
    const world = await open();
    const send = (event: string, payload: object) => {
      const body = JSON.stringify(payload);
      return world.post("/webhooks/github", body, signed(body, event));
    };
    const issue = { action: "opened", issue: { number: 1347 }, sender: { login: "octocat" } };
    expect((await send("issues", issue)).status).toBe(200);
    expect((await send("push", { ref: "refs/heads/main", commits: [] })).status).toBe(200);
    expect((await send("ping", { zen: "Design for failure.", hook_id: 1 })).status).toBe(200);
    expect((await send("issues", issue)).status).toBe(409);
    const { events } = await world.dispatcher.events.list({ tenantId });
    expect(events.map(({ type }) => type)).toEqual(["github.push", "github.issues.opened"]);
    expect(events.at(-1)?.data).toEqual(issue);
  });

  it("refuses what is not signed, or names no event", async () => {
    const world = await open();
    const body = JSON.stringify({ action: "opened" });
    const cases: [number, Record<string, string>][] = [
      [401, { "x-github-event": "issues" }],
      [401, { ...signed(`${body} `, "issues") }],
      [422, signed(body, "")],
      [422, signed(body, "Not an event")],
    ];
    for (const [status, headers] of cases)
      expect((await world.post("/webhooks/github", body, headers)).status).toBe(status);
    const strange = JSON.stringify({ action: "a.b" });
    expect((await world.post("/webhooks/github", strange, signed(strange, "issues"))).status).toBe(400);
    expect(await counts(world)).toMatchObject({ events: 0 });
  });
});

describeEmbedded("stripeSource", (databases) => {
  const open = () => openSources(databases, [stripeSource({ secrets, tenantId })]);
  const paid = { id: "evt_1", object: "event", type: "invoice.paid", created: 1_767_225_600, livemode: false };
  const send = (world: Awaited<ReturnType<typeof open>>, event: object, timestamp = nowSeconds()) => {
    const body = JSON.stringify(event);
    return world.post("/webhooks/stripe", body, { ...sign(body, { scheme: stripe, secrets, timestamp }) });
  };

  it("takes an event once over Stripe's tries, each signed anew and with another count of open webhooks", async () => {
    const world = await open();
    const full = { ...paid, data: { object: { id: "in_1", amount_paid: 1200 } } };
    for (const pending_webhooks of [2, 1]) {
      const answer = await send(world, { ...full, pending_webhooks }, nowSeconds() - pending_webhooks);
      expect([answer.status, await answer.json()]).toMatchObject([200, { status: "success" }]);
    }
    const { events } = await world.dispatcher.events.list({ tenantId });
    expect(events).toMatchObject([{ type: "stripe.invoice.paid", timestamp: "2026-01-01T00:00:00.000Z", data: full }]);
    expect(events[0]?.data).not.toHaveProperty("pending_webhooks");
  });

  it("takes a thin event, and refuses a stale, a forged and an incomplete one", async () => {
    const world = await open();
    const thin = { id: "evt_2", object: "v2.core.event", type: "v1.billing.meter.no_meter_found", livemode: true };
    expect((await send(world, { ...thin, created: "2026-01-01T01:00:00+01:00" })).status).toBe(200);
    const { events } = await world.dispatcher.events.list({ tenantId });
    expect(events).toMatchObject([
      { type: "stripe.v1.billing.meter.no_meter_found", timestamp: "2026-01-01T00:00:00.000Z" },
    ]);
    expect((await send(world, paid, nowSeconds() - 302)).status).toBe(401);
    const forged = { "stripe-signature": `t=${nowSeconds()},v1=${"0".repeat(64)}` };
    expect((await world.post("/webhooks/stripe", JSON.stringify(paid), forged)).status).toBe(401);
    for (const over of [{ id: "" }, { type: undefined }, { created: "yesterday" }]) {
      expect((await send(world, { ...paid, ...over })).status).toBe(400);
    }
    expect(await counts(world)).toMatchObject({ events: 1 });
  });
});

describeEmbedded("standardWebhooksSource", (databases) => {
  const billing = { id: "billing", secrets, tenantId };
  const event = { type: "invoice.sent", timestamp: "2026-01-01T00:00:00Z", data: { number: "I-1" } };
  const signed = (body: string, id: string, scheme: Scheme = standardWebhooks) =>
    sign(body, { scheme, secrets, id, timestamp: nowSeconds() });

  it("takes each message of a sender once by its id, and keeps two senders apart", async () => {
    const world = await openSources(databases, [
      standardWebhooksSource(billing),
      standardWebhooksSource({ secrets, tenantId }),
    ]);
    const body = JSON.stringify(event);
    const changed = JSON.stringify({ ...event, data: { number: "I-2" } });
    expect((await world.post("/webhooks/billing", body, signed(body, "msg_1"))).status).toBe(200);
    expect((await world.post("/webhooks/billing", changed, signed(changed, "msg_1"))).status).toBe(200);
    expect((await world.post("/webhooks/standard", body, signed(body, "msg_1"))).status).toBe(200);
    const { events } = await world.dispatcher.events.list({ tenantId });
    expect(events).toMatchObject([event, event].map((one) => ({ ...one, timestamp: "2026-01-01T00:00:00.000Z" })));
    const { executions } = await world.engine.sources.executions({ sourceId: "billing" });
    expect(executions.map(({ status }) => status)).toEqual(["duplicate", "succeeded"]);
  });

  it("refuses another secret, and a payload of another form", async () => {
    const world = await openSources(databases, [standardWebhooksSource(billing)]);
    const body = JSON.stringify(event);
    expect((await world.post("/webhooks/billing", body, signed(`${body} `, "msg_1"))).status).toBe(401);
    for (const [status, over] of [
      [400, { type: "" }],
      [400, { timestamp: 1_767_225_600 }],
      [400, { data: [] }],
      [422, { type: "not a type" }],
    ] as const) {
      const wrong = JSON.stringify({ ...event, ...over });
      expect((await world.post("/webhooks/billing", wrong, signed(wrong, `msg_${wrong.length}`))).status).toBe(status);
    }
    expect(await counts(world)).toMatchObject({ events: 0 });
  });
});
