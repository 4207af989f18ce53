import type { DestinationContext, Event } from "@hookline/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  button,
  DISCORD_PROVIDER_ID,
  type DiscordDestinationOptions,
  type DiscordMessageState,
  type DiscordTarget,
  defineButton,
  discordDestination,
  linkButton,
  reply,
} from "../src/index.js";
import { BOT_TOKEN, COMPONENT_SECRET, press, startApp } from "./support/app.js";
import { faultsByDiscord } from "./support/discord-schemas.js";
import type { Json } from "./support/json.js";
import { type RecordingDiscord, startRecordingDiscord } from "./support/recording-discord.js";

let discord: RecordingDiscord;
beforeEach(async () => {
  discord = await startRecordingDiscord();
});
afterEach(() => discord.close());

const approve = defineButton({
  name: "machine-approve",
  params: ["machineId"],
  answer: "immediate",
  run: ({ params }) => reply(`approved ${params.machineId}`),
});

const templates: DiscordDestinationOptions["templates"] = {
  "machine.registered": {
    entity: ({ data }: Event<Json>) => data.id,
    message: ({ data }: Event<Json>) => ({
      embeds: [{ title: "New machine", fields: [{ name: "Host", value: data.hostname }], color: 0xf1c40f }],
      buttons: [
        button(approve, { label: "Approve", style: "success", params: { machineId: data.id } }),
        linkButton("Open", "https://example.com/machines"),
      ],
    }),
  },
  "machine.approved": {
    entity: ({ data }: Event<Json>) => data.id,
    message: () => ({ content: "approved" }),
  },
  "ticket.created": { message: ({ data }: Event<Json>) => ({ embeds: [{ title: data.title }] }) },
  "ticket.silent": { message: () => null },
};

const CHANNEL: DiscordTarget = { channelId: "300000000000000001" };

function event(type: string, data: unknown = { id: "mac_1", hostname: "DESKTOP_001" }): Event {
  return { id: "evt_1", type, timestamp: "2026-01-15T10:30:00.000Z", tenantId: "default", data };
}

/** One attempt, over the wire, as the dispatcher makes it. */
async function attempt(
  what: Event,
  target: DiscordTarget,
  change: {
    state?: DiscordMessageState | null;
    deliveryId?: string;
    options?: Partial<DiscordDestinationOptions>;
  } = {},
) {
  const destination = discordDestination({
    templates,
    componentSecret: COMPONENT_SECRET,
    botToken: BOT_TOKEN,
    restBaseUrl: discord.restBaseUrl,
    ...change.options,
  });
  const context: DestinationContext<DiscordTarget, DiscordMessageState> = {
    endpoint: { id: "ep_1", tenantId: "default", target, secrets: [] },
    state: change.state ?? null,
    deliveryId: change.deliveryId ?? "dlv_0mf2k9a3f6d1c8e4b7a90f2d3c5b1e",
    attempt: 1,
    now: new Date(),
    signal: AbortSignal.timeout(5_000),
  };
  const plan = await destination.plan(what, context);
  if (plan?.kind !== "request") return null;
  const { url, ...request } = plan.request;
  const response = await fetch(url, { ...request, body: request.body as string });
  return destination.interpret?.(
    { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() },
    { ...context, event: what },
  );
}

const lastCall = () => {
  const call = discord.calls.at(-1);
  if (call === undefined) throw new Error("nothing was sent");
  return call;
};

describe("discordDestination", () => {
  it("H13 has the id of the connector", async () => {
    const app = await startApp();
    expect(app.connector.id).toBe(DISCORD_PROVIDER_ID);
    expect(discordDestination({ templates, componentSecret: COMPONENT_SECRET }).id).toBe(DISCORD_PROVIDER_ID);
    await app.close();
  });

  it("E5 H12 posts an embed to a channel by the bot, as Discord describes it", async () => {
    const result = await attempt(event("ticket.created", { title: "Printer" }), CHANNEL);
    expect(result).toEqual({ outcome: "delivered" });
    const call = lastCall();
    expect(call).toMatchObject({ method: "POST", path: "/channels/300000000000000001/messages" });
    expect(call.headers.get("authorization")).toBe(`Bot ${BOT_TOKEN}`);
    expect(call.body.embeds).toEqual([{ title: "Printer" }]);
    expect(await faultsByDiscord("MessageCreateRequestSchema", call.body)).toEqual([]);
  });

  it("N8 sends the same nonce with every attempt of a delivery and another with the next", async () => {
    const nonces = new Set<string>();
    for (const deliveryId of ["dlv_a", "dlv_a", "dlv_b"]) {
      await attempt(event("ticket.created", { title: "Printer" }), CHANNEL, { deliveryId });
      expect(lastCall().body.enforce_nonce).toBe(true);
      expect(lastCall().body.nonce.length).toBeLessThanOrEqual(25);
      nonces.add(lastCall().body.nonce);
    }
    expect(nonces.size).toBe(2);
  });

  it("H12 posts through an incoming webhook, without the bot's token, into a thread where the URL names one", async () => {
    const webhookUrl = `${new URL(discord.restBaseUrl).origin}/api/webhooks/900000000000000001/abc-DEF_1?thread_id=700000000000000001`;
    await attempt(event("ticket.created", { title: "Printer" }), { webhookUrl });
    const call = lastCall();
    expect(call.path).toBe("/api/webhooks/900000000000000001/abc-DEF_1?wait=true&thread_id=700000000000000001");
    expect(call.headers.get("authorization")).toBeNull();
    expect(call.body.nonce).toBeUndefined();
    expect(await faultsByDiscord("IncomingWebhookRequestPartialSchema", call.body)).toEqual([]);
    await attempt(event("machine.registered"), { webhookUrl });
    expect(lastCall().path).toContain("with_components=true");
  });

  it.each([
    "https://discord.com/api/webhooks/900000000000000001/token",
    "https://discord.com/api/v10/webhooks/900000000000000001/token",
    "https://canary.discord.com/api/webhooks/900000000000000001/token",
    "https://ptb.discord.com/api/v9/webhooks/900000000000000001/token",
    "https://discordapp.com/api/webhooks/900000000000000001/token?thread_id=700000000000000001",
  ])("H12 knows %s", async (webhookUrl) => {
    const destination = discordDestination({ templates, componentSecret: COMPONENT_SECRET });
    const plan = await destination.plan(event("ticket.created", { title: "Printer" }), contextFor({ webhookUrl }));
    expect(plan).toMatchObject({ kind: "request", request: { method: "POST" } });
    expect(plan?.kind === "request" && plan.request.url.startsWith(webhookUrl.split("?")[0] ?? "")).toBe(true);
  });

  it.each([
    "http://discord.com/api/webhooks/900000000000000001/token",
    "https://discord.com.evil.example/api/webhooks/900000000000000001/token",
    "https://discord.com/api/webhooks/900000000000000001",
    "https://discord.com/api/v10/users/@me",
    "https://user:pass@discord.com/api/webhooks/900000000000000001/token",
    "https://discord.com/api/webhooks/900000000000000001/token?thread_id=1/../2",
    "not a url",
  ])("refuses %s for good, without quoting it", async (webhookUrl) => {
    const destination = discordDestination({ templates, componentSecret: COMPONENT_SECRET });
    const planned = Promise.resolve().then(() =>
      destination.plan(event("ticket.created", { title: "x" }), contextFor({ webhookUrl })),
    );
    const error = await planned.catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "invalid_target" });
    expect(String(error)).not.toContain(webhookUrl);
  });

  it.each([
    { path: ["webhookUrl"], target: { webhookUrl: "https://discord.com.evil.example/api/webhooks/1/token" } },
    { path: ["webhookUrl"], target: { webhookUrl: 1 } },
    { path: ["channelId"], target: { channelId: "general" } },
    { path: ["channelId"], target: { webhookUrl: "https://discord.com/api/webhooks/1/token", channelId: "1" } },
    { path: ["chanelId"], target: { ...CHANNEL, chanelId: "1" } },
    { path: undefined, target: {} },
    { path: undefined, target: "300000000000000001" },
  ])("refuses $target for an endpoint at $path, without quoting it", ({ path, target }) => {
    const { parseTarget } = discordDestination({ templates, componentSecret: COMPONENT_SECRET, botToken: BOT_TOKEN });
    const parsed = parseTarget?.(target);
    expect(parsed?.issues?.map((issue) => issue.path)).toEqual([path]);
    expect(JSON.stringify(parsed)).not.toContain("evil");
  });

  it("takes a channel or a webhook for an endpoint, and a channel only where there is a bot", () => {
    const webhook = { webhookUrl: "https://discord.com/api/webhooks/1/token" };
    const bot = discordDestination({ templates, componentSecret: COMPONENT_SECRET, botToken: BOT_TOKEN });
    expect([CHANNEL, webhook].map((target) => bot.parseTarget?.(target))).toEqual([
      { value: CHANNEL },
      { value: webhook },
    ]);
    const botless = discordDestination({ templates, componentSecret: COMPONENT_SECRET });
    expect(botless.parseTarget?.(webhook)).toEqual({ value: webhook });
    expect(botless.parseTarget?.(CHANNEL)).toMatchObject({ issues: [{ path: ["channelId"] }] });
  });

  it("needs a bot token for a channel and says so", async () => {
    const destination = discordDestination({ templates, componentSecret: COMPONENT_SECRET });
    await expect(destination.plan(event("ticket.created", { title: "x" }), contextFor(CHANNEL))).rejects.toThrow(
      /needs a botToken/,
    );
    expect(() => discordDestination({ templates, componentSecret: "short" })).toThrow(
      /componentSecret has 5 characters/,
    );
  });

  it("puts buttons below that the connector understands", async () => {
    await attempt(event("machine.registered"), CHANNEL);
    const { body } = lastCall();
    expect(await faultsByDiscord("MessageCreateRequestSchema", body)).toEqual([]);
    const [action, link] = body.components[0].components;
    expect(link).toMatchObject({ style: 5, url: "https://example.com/machines" });
    const app = await startApp({ components: [approve] });
    const answer = await app.interact(press(action.custom_id));
    expect(answer.body.data.content).toBe("approved mac\\_1");
    await app.close();
  });

  it("edits the message of an entity in place, and posts a new one when that was deleted", async () => {
    const first = await attempt(event("machine.registered"), CHANNEL);
    expect(first).toEqual({
      outcome: "delivered",
      state: {
        messageId: "900000000000000001",
        channelId: "300000000000000001",
        shows: { eventId: "evt_1", timestamp: "2026-01-15T10:30:00.000Z" },
      },
    });
    const state = first?.state ?? null;
    expect(await attempt(event("machine.approved"), CHANNEL, { state })).toEqual({ outcome: "delivered", state });
    expect(lastCall()).toMatchObject({
      method: "PATCH",
      path: "/channels/300000000000000001/messages/900000000000000001",
      body: { content: "approved", embeds: [], components: [] },
    });
    expect(await faultsByDiscord("MessageEditRequestPartialSchema", lastCall().body)).toEqual([]);

    discord.next.push({ status: 404, body: { code: 10008, message: "Unknown Message" } });
    const gone = await attempt(event("machine.approved"), CHANNEL, { state });
    expect(gone).toMatchObject({ outcome: "retry", retryInMs: 0, state: { messageId: null } });
    await attempt(event("machine.approved"), CHANNEL, { state: gone?.state ?? null });
    expect(lastCall().method).toBe("POST");
  });

  it("E5 never goes back to an event of before the one that the message shows, not even when it was deleted", async () => {
    const at = (timestamp: string, type = "machine.registered"): Event => ({
      ...event(type),
      id: timestamp,
      timestamp,
    });
    const newer = at("2026-01-15T10:31:00.000Z", "machine.approved");
    const shown = (await attempt(newer, CHANNEL))?.state ?? null;
    const older = at("2026-01-15T10:30:59.999Z");
    expect(await attempt(older, CHANNEL, { state: shown })).toBeNull();
    expect(await attempt(older, CHANNEL, { state: { messageId: "5", channelId: "3" } })).toMatchObject({
      state: { messageId: "5", channelId: "3", shows: { eventId: older.id } },
    });
    // The same moment, the same event again, and a newer one are shown.
    for (const other of [at(newer.timestamp), newer, at("2026-01-15T10:31:00.001Z")]) {
      expect(await attempt(other, CHANNEL, { state: shown })).toMatchObject({
        state: { messageId: shown?.messageId, shows: { eventId: other.id, timestamp: other.timestamp } },
      });
    }
    discord.next.push({ status: 404, body: { code: 10008, message: "Unknown Message" } });
    const gone = await attempt(newer, CHANNEL, { state: shown });
    expect(await attempt(older, CHANNEL, { state: gone?.state ?? null })).toBeNull();
  });

  it("never edits for an event that is about no entity, whatever state the endpoint has", async () => {
    const state = { messageId: "900000000000000001", channelId: "300000000000000001" };
    const result = await attempt(event("ticket.created", { title: "Printer" }), CHANNEL, { state });
    expect(lastCall().method).toBe("POST");
    expect(result).toEqual({ outcome: "delivered" });
  });

  it("edits through a webhook with the thread it was posted into", async () => {
    const webhookUrl = `${new URL(discord.restBaseUrl).origin}/api/webhooks/900000000000000001/abc?thread_id=700000000000000001`;
    await attempt(event("machine.approved"), { webhookUrl }, { state: { messageId: "5", channelId: null } });
    expect(lastCall()).toMatchObject({
      method: "PATCH",
      path: "/api/webhooks/900000000000000001/abc/messages/5?thread_id=700000000000000001",
    });
  });

  it.each([
    [429, { retry_after: 1.5 }, { outcome: "retry", retryAfterMs: 1_500 }],
    [429, { retry_after: 64.57, global: true }, { outcome: "retry", retryAfterMs: 64_570 }],
    [
      404,
      { code: 10015, message: "Unknown Webhook" },
      { outcome: "dead", disableEndpoint: true, reason: expect.stringMatching(/\(10015\)\. The target is gone: give/) },
    ],
    [404, { code: 10003, message: "Unknown Channel" }, { outcome: "dead", disableEndpoint: true }],
    [
      401,
      { message: "401: Unauthorized" },
      {
        outcome: "retry",
        disableEndpoint: true,
        reason: expect.stringMatching(/401: Unauthorized\. The token is not/),
      },
    ],
    [
      403,
      { code: 50001, message: "Missing Access" },
      { outcome: "retry", disableEndpoint: true, reason: expect.stringMatching(/Missing Access \(50001\)\. The perm/) },
    ],
    [400, { code: 50035, message: "Invalid Form Body" }, { outcome: "dead" }],
    [500, undefined, { outcome: "retry" }],
    [502, "<html>", { outcome: "retry" }],
  ])("H12 reads %i %j", async (status, body, expected) => {
    discord.answer = () => ({ status, body });
    const result = await attempt(event("ticket.created", { title: "Printer" }), CHANNEL);
    expect(result).toMatchObject(expected);
    expect(result?.disableEndpoint).toBe([401, 403, 404].includes(status) ? true : undefined);
  });

  it("X10 posts by the bot only to channels in servers of the endpoint's tenant, and asks for a channel once", async () => {
    let isDown = false;
    const resolveTenant = async (guildId: string) => {
      if (isDown) throw new Error("The database is away.");
      return guildId === "200000000000000001" ? "default" : "other";
    };
    const destination = discordDestination({
      templates,
      componentSecret: COMPONENT_SECRET,
      botToken: BOT_TOKEN,
      restBaseUrl: discord.restBaseUrl,
      resolveTenant,
    });
    const plan = (channelId: string) =>
      Promise.resolve(destination.plan(event("ticket.created", { title: "x" }), contextFor({ channelId })));
    discord.answer = ({ path }) => {
      if (path === "/channels/1") return { status: 200, body: { id: "1", guild_id: "200000000000000001" } };
      if (path === "/channels/2") return { status: 200, body: { id: "2", guild_id: "200000000000000002" } };
      if (path === "/channels/3") return { status: 200, body: { id: "3", type: 1 } };
      return path === "/channels/4" ? { status: 404, body: { code: 10003 } } : { status: 503 };
    };
    expect(await plan("1")).toMatchObject({ kind: "request" });
    await expect(plan("2")).rejects.toMatchObject({ code: "invalid_target" });
    await expect(plan("2")).rejects.toMatchObject({ code: "invalid_target" });
    await expect(plan("3")).rejects.toMatchObject({ code: "invalid_target" });
    expect(discord.calls.map(({ path }) => path)).toEqual(["/channels/1", "/channels/2", "/channels/3"]);
    // What Discord does not show is refused by Discord; what it can't say now is asked again.
    expect(await plan("4")).toMatchObject({ kind: "request" });
    const later = await plan("5");
    expect(later?.kind === "run" && (await later.run())).toMatchObject({ outcome: "retry" });
    isDown = true;
    const unknown = await plan("1");
    expect(unknown?.kind === "run" && (await unknown.run())).toMatchObject({
      outcome: "retry",
      reason: expect.stringContaining("The database is away."),
    });
  });

  it("says no more than type and time of an event without a template, and nothing where a template says nothing", async () => {
    await attempt(event("user.registered", { email: "anna@example.com" }), CHANNEL);
    expect(lastCall().body.embeds).toEqual([{ title: "user.registered", timestamp: "2026-01-15T10:30:00.000Z" }]);
    expect(JSON.stringify(lastCall().body)).not.toContain("anna@example.com");
    expect(await attempt(event("ticket.silent"), CHANNEL)).toBeNull();
    const star = { ...templates, "*": { message: ({ type }: Event) => ({ content: `star ${type}` }) } };
    await attempt(event("__proto__"), CHANNEL, { options: { templates: star } });
    expect(lastCall().body.content).toContain("star");
  });
});

function contextFor(target: DiscordTarget): DestinationContext<DiscordTarget, DiscordMessageState> {
  return {
    endpoint: { id: "ep_1", tenantId: "default", target, secrets: [] },
    state: null,
    deliveryId: "dlv_1",
    attempt: 1,
    now: new Date(),
    signal: AbortSignal.timeout(5_000),
  };
}
