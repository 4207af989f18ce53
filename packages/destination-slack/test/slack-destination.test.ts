import { randomBytes } from "node:crypto";
import { createDispatcher, type Dispatcher } from "@hookline/dispatcher";
import type { Database } from "@hookline/postgres";
import { openTestPglite } from "@hookline/postgres/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type SlackTarget, slackDestination } from "../src/index.js";
import { type SlackServer, startSlackServer } from "./slack-server.js";

const BOT_TOKEN = "xoxb-token-that-must-not-appear-anywhere";

interface Ticket {
  readonly id: string;
  readonly title: string;
}

let slack: SlackServer;
let database: Database;
let dispatcher: Dispatcher;
let endpointId = "";

const destination = (baseUrl: string, botToken?: string) =>
  slackDestination({
    templates: {
      "ticket.created": {
        entity: ({ data }: { data: Ticket }) => data.id,
        message: ({ data }: { data: Ticket }) => ({ title: data.title, color: "info" }),
      },
      "ticket.closed": {
        entity: ({ data }: { data: Ticket }) => data.id,
        message: ({ data }: { data: Ticket }) => ({ title: `Closed: ${data.title}`, color: "success" }),
      },
      "ticket.noise": { message: () => null },
    },
    apiBaseUrl: `${baseUrl}/api`,
    webhookBaseUrls: [baseUrl],
    ...(botToken === undefined ? {} : { botToken }),
  });

beforeAll(async () => {
  slack = await startSlackServer();
  database = await openTestPglite();
  dispatcher = createDispatcher({
    database,
    encryptionKey: randomBytes(32).toString("base64"),
    addressGuard: { allow: ["127.0.0.0/8"], allowHttp: true },
    retrySchedule: { delaysMs: Array.from({ length: 20 }, () => 20), jitterRatio: 0 },
    pollMs: 50,
    destinations: [destination(slack.baseUrl, BOT_TOKEN)],
  });
  await dispatcher.migrate();
  await dispatcher.start();
});

afterAll(async () => {
  await dispatcher.stop();
  await database.close();
  await slack.close();
});

beforeEach(() => {
  slack.calls.length = 0;
  slack.next.length = 0;
});

afterEach(() => dispatcher.endpoints.delete({ tenantId: "acme", id: endpointId }));

const webhook = (): SlackTarget => ({ webhookUrl: `${slack.baseUrl}/services/T0/B0/secretpart` });
const channel: SlackTarget = { channelId: "C0123456789" };

async function subscribe(target: SlackTarget, events: readonly string[] = ["*"]): Promise<void> {
  ({ id: endpointId } = await dispatcher.endpoints.create({
    tenantId: "acme",
    destination: "slack",
    target,
    events,
  }));
}

const publish = (type: string, title = "Printer on fire", timestamp = new Date()) =>
  dispatcher.publish({ tenantId: "acme", type, timestamp, data: { id: "t1", title } });
const titles = () => slack.calls.map(({ body }) => body.text);
const endpoint = () => dispatcher.endpoints.get({ tenantId: "acme", id: endpointId });
const patience = { timeout: 20_000, interval: 20 };

async function ending() {
  return await expect
    .poll(async () => {
      const { deliveries } = await dispatcher.deliveries.list({ tenantId: "acme", endpointId });
      return deliveries[0]?.status;
    }, patience)
    .not.toBe("pending")
    .then(async () => (await dispatcher.deliveries.list({ tenantId: "acme", endpointId })).deliveries[0]);
}

describe("the Slack destination, through the dispatcher", () => {
  it("A4 A7 posts only the events that the endpoint chose, to the channel that it chose", async () => {
    await subscribe(channel, ["ticket.created"]);
    await publish("ticket.closed");
    await publish("ticket.created");
    await expect.poll(titles, patience).toEqual(["Printer on fire"]);
    expect(slack.calls[0]).toMatchObject({
      path: "/api/chat.postMessage",
      authorization: `Bearer ${BOT_TOKEN}`,
      contentType: "application/json; charset=utf-8",
      body: { channel: "C0123456789", attachments: [{ color: "#3b82f6" }] },
    });
  });

  it("A4 posts to an incoming webhook, which needs no token", async () => {
    await subscribe(webhook());
    await publish("ticket.created");
    expect(await ending()).toMatchObject({ status: "delivered" });
    expect(slack.calls[0]).toMatchObject({ path: "/services/T0/B0/secretpart", authorization: undefined });
    expect(slack.calls[0]?.body).not.toHaveProperty("channel");
  });

  it("edits the bot's message when something newer happens to the same entity, and never sets it back", async () => {
    await subscribe(channel);
    await publish("ticket.created");
    await expect.poll(titles, patience).toHaveLength(1);
    await publish("ticket.closed", "Printer on fire", new Date(Date.now() + 1000));
    await expect.poll(titles, patience).toEqual(["Printer on fire", "Closed: Printer on fire"]);
    expect(slack.calls[1]).toMatchObject({ path: "/api/chat.update", body: { channel: "C0123456789" } });
    expect(slack.calls[1]?.body.ts).toMatch(/^1700000000\./);
    const { id } = await publish("ticket.created", "late", new Date(Date.now() - 60_000));
    await expect
      .poll(async () => {
        const { deliveries } = await dispatcher.deliveries.list({ tenantId: "acme", endpointId });
        return deliveries.find(({ eventId }) => eventId === id)?.status;
      }, patience)
      .toBe("delivered");
    expect(slack.calls).toHaveLength(2);
  });

  it("posts anew when the message that it would edit was deleted", async () => {
    await subscribe(channel);
    await publish("ticket.created");
    await expect.poll(titles, patience).toHaveLength(1);
    slack.next.push({ body: { ok: false, error: "message_not_found" } });
    await publish("ticket.closed", "x", new Date(Date.now() + 1000));
    await expect
      .poll(() => slack.calls.map(({ path }) => path), patience)
      .toEqual(["/api/chat.postMessage", "/api/chat.update", "/api/chat.postMessage"]);
  });

  it("says of a type without a template only that it happened", async () => {
    await subscribe(webhook());
    await publish("billing.secret", "the amount");
    await expect.poll(titles, patience).toEqual(["billing.secret"]);
    expect(JSON.stringify(slack.calls)).not.toContain("the amount");
  });

  it.each([
    ["429 with Retry-After", { status: 429, headers: { "retry-after": "0" }, body: "rate_limited" }],
    ["a 200 that says ratelimited", { body: { ok: false, error: "ratelimited" } }],
    ["500", { status: 500, body: "rollup_error" }],
    ["a page of a proxy", { status: 502, body: "<html>" }],
  ])("tries again after %s", async (_, answer) => {
    await subscribe(channel);
    slack.next.push(answer);
    await publish("ticket.created");
    expect(await ending()).toMatchObject({ status: "delivered", attempts: 2 });
  });

  it.each([
    ["invalid_blocks", { body: { ok: false, error: "invalid_blocks" } }],
    ["400 invalid_payload", { status: 400, body: "invalid_payload" }],
  ])("gives up on %s, which another try would not change", async (_, answer) => {
    await subscribe(channel);
    slack.next.push(answer);
    await publish("ticket.created");
    expect(await ending()).toMatchObject({ status: "dead", attempts: 1 });
    expect(await endpoint()).toMatchObject({ active: true });
  });

  it.each([
    ["channel_not_found", { body: { ok: false, error: "channel_not_found" } }],
    ["404 no_service", { status: 404, body: "no_service" }],
    ["410 channel_is_archived", { status: 410, body: "channel_is_archived" }],
  ])("disables the endpoint on %s", async (_, answer) => {
    await subscribe(webhook());
    slack.next.push(answer);
    await publish("ticket.created");
    expect(await ending()).toMatchObject({ status: "dead" });
    await expect.poll(async () => (await endpoint())?.active, patience).toBe(false);
  });

  it("holds deliveries while the bot is not in the channel, and sends them when the endpoint is enabled again", async () => {
    await subscribe(channel);
    slack.next.push({ body: { ok: false, error: "not_in_channel" } });
    await publish("ticket.created");
    await expect.poll(async () => (await endpoint())?.active, patience).toBe(false);
    await dispatcher.endpoints.enable({ tenantId: "acme", id: endpointId });
    expect(await ending()).toMatchObject({ status: "delivered" });
  });

  it("keeps the token out of the log of attempts", async () => {
    await subscribe(channel);
    await publish("ticket.created");
    const delivery = await ending();
    const detail = await dispatcher.deliveries.get({ tenantId: "acme", id: delivery?.id ?? "" });
    expect(detail?.log).toHaveLength(1);
    expect(JSON.stringify(detail)).not.toContain(BOT_TOKEN);
  });
});

describe("a target that will not do", () => {
  it.each([
    ["another host", { webhookUrl: "https://hooks.slack.com.evil.example/services/T/B/x" }],
    ["another path", { webhookUrl: "https://hooks.slack.com/workflows/T/B/x" }],
    ["credentials in the address", { webhookUrl: "https://a:b@hooks.slack.com/services/T/B/x" }],
    ["no address", { webhookUrl: "hooks" }],
    ["a channel's name", { channelId: "#general" }],
    ["nothing", null],
  ])("is refused as invalid_target: %s", async (_, target) => {
    const { plan } = slackDestination({ templates: {}, botToken: BOT_TOKEN });
    await expect(plan(event, contextOf(target))).rejects.toMatchObject({ code: "invalid_target" });
  });

  it("is refused as invalid_target when the channel is another tenant's, and its webhook is its own business", async () => {
    const resolveTenant = async (channelId: string) => (channelId === "C0123456789" ? "acme" : null);
    const { plan } = slackDestination({ templates: {}, botToken: BOT_TOKEN, resolveTenant });
    expect(await plan(event, contextOf(channel))).toMatchObject({ kind: "request" });
    for (const context of [contextOf(channel, "globex"), contextOf({ channelId: "C9876543210" })]) {
      await expect(plan(event, context)).rejects.toMatchObject({ code: "invalid_target" });
    }
    const own = { webhookUrl: "https://hooks.slack.com/services/T/B/x" };
    expect(await plan(event, contextOf(own, "globex"))).toMatchObject({ kind: "request" });
  });

  it("is tried again when it can't be told now whose the channel is", async () => {
    const resolveTenant = () => Promise.reject(new Error("The database is away."));
    const { plan } = slackDestination({ templates: {}, botToken: BOT_TOKEN, resolveTenant });
    const planned = await plan(event, contextOf(channel));
    expect(planned?.kind === "run" && (await planned.run())).toEqual({
      outcome: "retry",
      reason: expect.stringContaining("The database is away."),
    });
  });

  it.each([
    ["target.webhookUrl", { webhookUrl: "https://hooks.slack.com.evil.example/services/T/B/secret" }],
    ["target.webhookUrl", { webhookUrl: 1 }],
    ["target.channelId", { channelId: "#general" }],
    ["target.channel", { channelId: "C0123456789", channel: "x" }],
    ["target", {}],
  ])("is refused at %s when an endpoint is made of %j, and is not repeated", async (path, target) => {
    const made = dispatcher.endpoints.create({ tenantId: "acme", destination: "slack", target, events: ["*"] });
    const error = await made.catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "invalid_endpoint", issues: [{ path }] });
    expect(JSON.stringify(error)).not.toContain("secret");
  });

  it("is refused when it names a channel and there is no bot", () => {
    const { parseTarget } = slackDestination({ templates: {} });
    expect(parseTarget?.(channel)).toMatchObject({ issues: [{ path: ["channelId"] }] });
    const withBot = slackDestination({ templates: {}, botToken: BOT_TOKEN });
    expect(withBot.parseTarget?.(channel)).toEqual({ value: channel });
    const both = { webhookUrl: "https://hooks.slack.com/services/T/B/x", ...channel };
    expect(withBot.parseTarget?.(both)).toMatchObject({ issues: [{ path: ["channelId"] }] });
  });

  it("is refused as bot_token_missing when it names a channel and there is no bot", async () => {
    const { plan } = slackDestination({ templates: {} });
    await expect(plan(event, contextOf(channel))).rejects.toMatchObject({ code: "bot_token_missing" });
  });

  it.each([
    ["apiBaseUrl", { apiBaseUrl: "slack" }],
    ["webhookBaseUrls[0]", { webhookBaseUrls: ["ftp://x.example"] }],
    ["webhookBaseUrls", { webhookBaseUrls: [] }],
  ])("refuses the option %s at once", (name, options) => {
    expect(() => slackDestination({ templates: {}, ...options })).toThrow(
      expect.objectContaining({ code: "invalid_option", message: expect.stringContaining(name) }),
    );
  });
});

const event = { id: "evt_1", type: "x.y", timestamp: "2026-11-22T10:00:00.000Z", tenantId: "acme", data: {} };

const contextOf = (target: unknown, tenantId = "acme") => ({
  endpoint: { id: "ep_1", tenantId, target: target as SlackTarget, secrets: [] },
  state: null,
  deliveryId: "dlv_1",
  attempt: 1,
  now: new Date(),
  signal: new AbortController().signal,
});
