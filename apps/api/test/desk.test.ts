import { button, type DiscordTarget, defineButton, discordDestination, reply } from "@hookline/connector-discord";
import { createReceiver, type Receiver } from "@hookline/dispatcher/testing";
import { aiSupport, xtsystems } from "@hookline/webhook-signing";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type ApiProcess, createSetting, type Setting, spawnApi, untilReady } from "./running-api.js";

const SECRET = "the-secret-of-both-receivers-0123456789";
const START_TIMEOUT_MS = 120_000;

/** The ten types of seed 002's service. */
const XTSYSTEMS_TYPES = [
  "ticket.created",
  "ticket.updated",
  "ticket.closed",
  "asset.created",
  "asset.updated",
  "user.created",
  "company.created",
  "machine.registered",
  "machine.approved",
  "alert.triggered",
];

/** The ten types of seed 003's service. */
const SUPPORT_TYPES = [
  "ticket.created",
  "ticket.updated",
  "ticket.resolved",
  "ticket.escalated",
  "ai.response.generated",
  "ai.response.requires_review",
  "ai.response.approved",
  "ai.response.rejected",
  "conversation.added",
  "feedback.received",
];

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into field by field
type Json = any;

let setting: Setting;
let api: ApiProcess;
let bot: Receiver;
let support: Receiver;

async function call(method: string, path: string, body?: unknown): Promise<{ status: number; body: Json }> {
  const response = await fetch(api.url + path, {
    method,
    headers: { authorization: `Bearer ${setting.environment.API_KEY}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

async function post(path: string, body: unknown): Promise<Json> {
  const answer = await call("POST", path, body);
  expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: expect.toSatisfy((status) => status < 300) });
  return answer.body;
}

const openTicket = (title: string) =>
  post("/v1/tickets", {
    title,
    description: "The printer burns.",
    priority: "low",
    created_by: "anna",
    customer_email: "anna@example.com",
  });

beforeAll(async () => {
  setting = await createSetting();
  const { application } = await setting.simulator.state();
  const channels = { default: [await channelId("ops")], "ticket.created": [await channelId("support")] };
  api = spawnApi({
    ...setting.environment,
    DISCORD_PUBLIC_KEY: application.publicKeyHex,
    DISCORD_WEBHOOK_CHANNELS: JSON.stringify({ ...channels, "ticket.updated": channels["ticket.created"] }),
    ADDRESS_GUARD_ALLOW: "127.0.0.0/8",
    ADDRESS_GUARD_ALLOW_HTTP: "true",
  });
  await untilReady(api);
  await setting.simulator.setInteractionsUrl(`${api.url}/v1/connectors/discord/interactions`);
  bot = await createReceiver({ secret: SECRET, scheme: xtsystems });
  support = await createReceiver({ secret: SECRET, scheme: aiSupport });
  await post("/v1/webhooks", { name: "Bot", url: bot.url, events: XTSYSTEMS_TYPES, secret: SECRET });
  await post("/v1/endpoints", {
    url: support.url,
    scheme: "ai-support",
    profile: "support",
    events: SUPPORT_TYPES,
    secret: SECRET,
  });
}, START_TIMEOUT_MS);

afterAll(async () => {
  api?.child.kill("SIGTERM");
  await api?.exited;
  await bot?.close();
  await support?.close();
  await setting?.close();
});

async function channelId(name: string): Promise<string> {
  const { guilds } = await setting.simulator.state();
  return guilds[0]?.channels.find((channel) => channel.name === name)?.id ?? "";
}

/** A message with a button of the app's, as an earlier version of it may have posted one. */
async function postAsTheApp(content: string, ofTheApp: ReturnType<typeof button>) {
  const { COMPONENT_SECRET: componentSecret, DISCORD_BOT_TOKEN: botToken } = setting.environment;
  const destination = discordDestination({
    componentSecret,
    botToken,
    restBaseUrl: setting.environment.DISCORD_API_BASE_URL,
    templates: { "*": { message: () => ({ content, buttons: [ofTheApp] }) } },
  });
  const target: DiscordTarget = { channelId: await channelId("ops") };
  const plan = await destination.plan(
    { id: "evt_1", type: "test", timestamp: new Date().toISOString(), tenantId: "default", data: {} },
    {
      endpoint: { id: null, tenantId: "default", target, secrets: [] },
      state: null,
      deliveryId: content,
      attempt: 1,
      now: new Date(),
      signal: AbortSignal.timeout(5_000),
    },
  );
  if (plan?.kind !== "request") throw new Error("The message was not planned as a request.");
  const { url, body, ...request } = plan.request;
  expect((await fetch(url, { ...request, body: String(body) })).ok).toBe(true);
  return setting.simulator.waitForMessage((message) => message.content === content, { channel: "ops" });
}

const typesOf = (receiver: Receiver, key: string) =>
  receiver.requests.map((request) => (request.json() as Json)[key] as string);

describe("the reference domain", () => {
  it("W6 A2 publishes each of the eighteen event types by a real change, as the receivers of both services read it", async () => {
    const ticket = await openTicket("Printer on fire");
    const path = `/v1/tickets/${ticket.id}`;
    await post(`${path}/notes`, { author: "mod", text: "I look into it." });
    await post(`${path}/escalate`, { escalated_by: "mod", team: "Second line", reason: "Smoke." });
    await post(`${path}/conversation`, { author: "anna", sender: "customer", message: "It still burns." });
    const sure = await post(`${path}/ai-responses`, { text: "Use water.", confidence: 0.4 });
    expect(sure.status).toBe("requires_review");
    await post(`/v1/ai-responses/${sure.id}/reject`, { reviewed_by: "mod", reason: "Not on electronics." });
    const better = await post(`${path}/ai-responses`, { text: "Unplug it.", confidence: 0.95 });
    expect(better.status).toBe("generated");
    await post(`/v1/ai-responses/${better.id}/approve`, { reviewed_by: "mod" });
    expect((await call("PATCH", path, { changed_by: "mod", status: "resolved" })).body).toMatchObject({
      status: "resolved",
      priority: "high",
      team: "Second line",
    });
    await post(`${path}/feedback`, { rating: 5, comment: "Thank you." });
    const asset = await post("/v1/assets", { name: "Server-001", description: "Web server", created_by: "admin" });
    await call("PATCH", `/v1/assets/${asset.id}`, { changed_by: "admin", status: "maintenance" });
    await post("/v1/alerts", { title: "Disk", message: "2 % left", severity: "critical", source: "monitor" });
    const company = await post("/v1/companies", { name: "Acme" });
    await post("/v1/users", { username: "anna", email: "anna@example.com", company_id: company.id });
    await post("/v1/machines", { hostname: "DESKTOP-1", ip_address: "192.168.1.100" });
    const { simulator } = setting;
    const message = await simulator.waitForMessage((one) => JSON.stringify(one.embeds).includes("DESKTOP-1"));
    await simulator.member("mod").click(message, "Approve");

    await expect.poll(() => new Set(typesOf(bot, "event_type")), { timeout: 30_000 }).toEqual(new Set(XTSYSTEMS_TYPES));
    await expect.poll(() => new Set(typesOf(support, "event")), { timeout: 30_000 }).toEqual(new Set(SUPPORT_TYPES));
    for (const request of [...bot.requests, ...support.requests]) expect(request.verified).toBe(true);

    const created = bot.requests.find((request) => (request.json() as Json).event_type === "ticket.created");
    expect(created?.json()).toMatchObject({
      company_id: "default",
      data: { id: ticket.id, title: "Printer on fire", priority: "low", status: "new", created_by: "anna" },
    });
    const resolved = support.requests.find((request) => (request.json() as Json).event === "ticket.resolved");
    expect(resolved?.json()).toMatchObject({
      data: { ticket: { ticket_number: ticket.ticket_number, subject: "Printer on fire", status: "resolved" } },
    });
    const rejected = support.requests.find((request) => (request.json() as Json).event === "ai.response.rejected");
    expect(rejected?.json()).toMatchObject({
      data: { ticket: { id: ticket.id }, ai_response: { text: "Use water." }, reason: "Not on electronics." },
    });
    const noted = bot.requests.find((request) => (request.json() as Json).data.notes?.length === 1);
    expect(noted?.json()).toMatchObject({ event_type: "ticket.updated", data: { notes: [{ author: "mod" }] } });
  });

  it("X2 shows an event of each kind as an embed with its colour in the channel that the map names", async () => {
    const { simulator } = setting;
    for (const title of ["Disk", "Asset changed: Server-001", "New company: Acme", "New user: anna"]) {
      const shown = await simulator.waitForMessage(({ embeds }) => embeds[0]?.title === title, {
        channel: "ops",
      });
      expect(shown.embeds[0]?.color).toBeTypeOf("number");
    }
  });

  it("X10 lets a tenant show events in a channel of its own server by templates of its own, checked when they come", async () => {
    const { simulator } = setting;
    const own = await channelId("general");
    const other = await simulator.addGuild({ name: "Theirs" });
    const { guilds } = await simulator.state();
    const theirs = guilds.find(({ id }) => id === other.id)?.channels[0]?.id;
    const endpoint = (channel: string | undefined, title: string) => ({
      destination: "discord",
      events: ["ticket.created"],
      condition: { priority: "urgent" },
      target: { channelId: channel, templates: { "ticket.*": { title, color: "#ff0000" } } },
    });
    const refused = await call("POST", "/v1/endpoints", endpoint(own, "{{ data.title"));
    expect(refused.status).toBeGreaterThanOrEqual(400);
    expect(JSON.stringify(refused.body)).toContain("templates");
    await post("/v1/endpoints", endpoint(own, "Look: {{ data.title }}"));
    const foreign = await post("/v1/endpoints", endpoint(theirs, "Look: {{ data.title }}"));
    await openTicket("Not urgent");
    const urgent = { title: "On fire", description: "x", priority: "urgent", created_by: "anna" };
    await post("/v1/tickets", urgent);
    const shown = await simulator.waitForMessage(({ embeds }) => embeds[0]?.title === "Look: On fire", {
      channel: own,
      timeoutMs: 30_000,
    });
    expect(shown.embeds[0]?.color).toBe(0xff0000);
    expect((await simulator.messages({ channel: own })).map(({ embeds }) => embeds[0]?.title)).toEqual([
      "Look: On fire",
    ]);
    const refusals = async () =>
      (await call("GET", `/v1/deliveries?endpointId=${foreign.id}`)).body.deliveries.map((one: Json) => one.status);
    await expect.poll(refusals, { timeout: 20_000 }).toEqual(["dead"]);
    expect(await simulator.messages({ channel: theirs ?? "" })).toEqual([]);
  }, 60_000);

  it("A8 a Zap subscribes with an API key, gets tickets in the form of its sample, and unsubscribes", async () => {
    const zap = await createReceiver({});
    onTestFinished(() => zap.close());
    const { id } = await post("/v1/rest-hooks", { hookUrl: zap.url, event: "ticket.created" });
    const ticket = await openTicket("For Zapier");
    const [request] = await zap.waitFor(1);
    expect(request?.json()).toMatchObject({ type: "ticket.created", data: { title: "For Zapier", id: ticket.id } });
    const { body: samples } = await call("GET", "/v1/rest-hooks/samples?event=ticket.created");
    expect(samples[0]).toEqual(request?.json());
    expect(await call("DELETE", `/v1/rest-hooks/${id}`)).toMatchObject({ status: 200, body: { id } });
    expect((await call("GET", `/v1/endpoints/${id}`)).status).toBe(404);
  });

  it("publishes nothing when nothing changes, and answers a repeated idempotency_key with the first ticket", async () => {
    const body = { title: "Once", description: "x", created_by: "anna", idempotency_key: "k-1" };
    const first = await post("/v1/tickets", body);
    expect(await post("/v1/tickets", { ...body, title: "Twice" })).toMatchObject({ id: first.id, title: "Once" });
    const same = await call("PATCH", `/v1/tickets/${first.id}`, { changed_by: "mod", status: "new" });
    expect(same.body).not.toHaveProperty("updated_at");
    const { body: log } = await call("GET", "/v1/events?limit=200");
    expect(log.events.filter((event: Json) => event.data.id === first.id)).toHaveLength(1);
  });

  it("X4 claims a ticket, sets its priority and closes it from its message, for those who may manage messages", async () => {
    const { simulator } = setting;
    const ticket = await openTicket("Quick actions");
    const path = `/v1/tickets/${ticket.id}`;
    const find = (fits: (text: string) => boolean) =>
      simulator.waitForMessage(
        ({ embeds }) => embeds[0]?.title?.includes("Quick actions") === true && fits(JSON.stringify(embeds)),
        { channel: "support" },
      );
    const message = await find(() => true);

    const refusal = await (await simulator.member("anna").click(message, "Claim")).reply();
    expect(refusal).toMatchObject({ ephemeral: true, content: expect.stringContaining("manage messages") });
    expect((await call("GET", path)).body).toMatchObject({ status: "new" });

    await simulator.member("mod").click(message, "Claim");
    expect((await call("GET", path)).body).toMatchObject({ status: "open", assignee: "mod" });

    await simulator.member("mod").select(message, "Set the priority", ["Urgent"]);
    expect((await call("GET", path)).body).toMatchObject({ priority: "urgent", updated_by: "mod" });
    await find((text) => text.includes("Urgent"));

    await simulator.member("mod").click(message, "Close");
    expect((await call("GET", path)).body).toMatchObject({ status: "closed" });
    const closed = await find((text) => text.includes("Closed"));
    expect(closed.id).toBe(message.id);
    expect(closed.components ?? []).toEqual([]);
  });

  it("E1 E3 X4 makes a ticket from a message, in its author's name, for those who may manage messages", async () => {
    const { simulator } = setting;
    const command = "Create ticket from message";
    const message = await simulator.member("ben").say("general", "The printer burns\nagain, @everyone");
    await expect(simulator.member("anna").useOnMessage(command, message)).rejects.toThrow("anna may not use");

    const opened = await simulator.member("mod").useOnMessage(command, message);
    // What was filled in beforehand stays when it is sent off as it is.
    const submitted = await opened.submitModal({});
    expect((await submitted.reply({ timeoutMs: 25_000 })).content).toContain("is open");
    const link = `https://discord.com/channels/${setting.environment.DISCORD_GUILD_ID}/${await channelId("general")}/${message.id}`;
    const { tickets } = (await call("GET", "/v1/tickets")).body;
    const ticket = tickets.find(({ title }: Json) => title === "The printer burns");
    expect(ticket).toMatchObject({
      created_by: "mod",
      description: `The printer burns\nagain, @everyone\n\nMessage by ben: ${link}`,
    });
    const { contacts } = (await call("GET", `/v1/contacts?kind=discord&value=${message.author.id}`)).body;
    const { events } = (await call("GET", `/v1/contacts/${contacts[0].id}/timeline`)).body;
    expect(events).toContainEqual(expect.objectContaining({ type: "ticket.created" }));
  });

  it("X3 X4 answers a press below a message about what is not the desk's privately, and leaves the message as it is", async () => {
    const { simulator } = setting;
    for (const [name, param, label] of [
      ["ticket-claim", "ticketId", "Claim"],
      ["machine-approve", "machineId", "Approve"],
    ] as const) {
      const params: readonly string[] = [param];
      const definition = defineButton({ name, params, answer: "immediate", run: () => reply("") });
      const press = button(definition, { label, params: { [param]: "elsewhere-1" } });
      const message = await postAsTheApp(`Not of the desk: ${label}`, press);
      const answer = await (await simulator.member("mod").click(message, label)).reply();
      expect(answer).toMatchObject({ ephemeral: true, content: expect.stringContaining("not one of this desk") });
      expect(await simulator.messages({ channel: "ops" })).toContainEqual(
        expect.objectContaining({ id: message.id, content: message.content, components: message.components }),
      );
    }
  });

  it.each([
    ["POST", "/v1/tickets", { title: "", description: "x", created_by: "a" }, 400],
    ["POST", "/v1/tickets", { title: "x", description: "x", created_by: "a", customer_email: "nobody" }, 400],
    ["PATCH", "/v1/tickets/tkt_none", { changed_by: "a", status: "open" }, 404],
    ["PATCH", "/v1/tickets/tkt_none", { changed_by: "a", status: "burning" }, 400],
    ["POST", "/v1/tickets/tkt_none/notes", { author: "a", text: "x" }, 404],
    ["POST", "/v1/tickets/tkt_none/escalate", { escalated_by: "a", team: "x", reason: "y" }, 404],
    ["POST", "/v1/tickets/tkt_none/conversation", { author: "a", sender: "agent", message: "x" }, 404],
    ["POST", "/v1/tickets/tkt_none/feedback", { rating: 6 }, 400],
    ["POST", "/v1/tickets/tkt_none/ai-responses", { text: "x", confidence: 2 }, 400],
    ["POST", "/v1/tickets/tkt_none/ai-responses", { text: "x", confidence: 1 }, 404],
    ["POST", "/v1/ai-responses/air_none/reject", { reviewed_by: "a", reason: "x" }, 404],
    ["PATCH", "/v1/assets/ast_none", { changed_by: "a" }, 404],
    ["POST", "/v1/alerts", { title: "x", message: "x", severity: "loud", source: "x" }, 400],
    ["POST", "/v1/users", { username: "x", email: "x@example.com", company_id: "com_none" }, 400],
    ["POST", "/v1/companies", { name: "Acme" }, 409],
  ])("%s %s with %o is answered %i, with a code", async (...[method, path, body, status]) => {
    const answer = await call(method, path, body);
    expect(answer).toMatchObject({ status, body: { code: expect.any(String) } });
  });
});
