import { ingressScheme } from "@hookline/connector-discord";
import { sign } from "@hookline/webhook-signing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiProcess, createSetting, type Setting, spawnApi, untilReady } from "./running-api.js";

const USER = { id: "222222222222222222", username: "dora", global_name: "Dora", discriminator: "0", avatar: null };

describe("what the API refuses", () => {
  let setting: Setting;
  let api: ApiProcess;
  let nextId = 1_000_000_000_000_000_000n;

  beforeAll(async () => {
    setting = await createSetting();
    api = spawnApi(setting.environment);
    await untilReady(api);
  }, 120_000);
  afterAll(async () => {
    api.child.kill("SIGTERM");
    await api.exited;
    await setting.close();
  });

  const ingress = "/v1/connectors/discord/ingress";
  const interactions = "/v1/connectors/discord/interactions";
  const post = (path: string, body: string, headers: Record<string, string>) =>
    fetch(api.url + path, { method: "POST", body, headers });
  const read = async (path: string) => {
    const headers = { authorization: `Bearer ${setting.environment.API_KEY}` };
    return (await (await fetch(api.url + path, { headers })).json()) as {
      events: unknown[];
      contacts: unknown[];
      code?: string;
    };
  };
  const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code;

  /** An interaction as Discord sends it, with an id of its own. */
  function interaction(type: number, data: unknown): string {
    nextId += 1n;
    return JSON.stringify({
      id: String(nextId),
      application_id: setting.environment.DISCORD_APPLICATION_ID,
      type,
      token: `token-${nextId}`,
      version: 1,
      guild_id: setting.environment.DISCORD_GUILD_ID,
      channel_id: "333333333333333333",
      member: { user: USER, roles: [], permissions: "0", joined_at: "2026-01-01T00:00:00Z" },
      locale: "en-US",
      data,
    });
  }

  const batch = (id = "444444444444444444") =>
    JSON.stringify({
      items: [
        {
          key: `session:0:${id}`,
          sessionId: "session",
          shard: 0,
          seq: 1,
          type: "MESSAGE_CREATE",
          receivedAt: new Date().toISOString(),
          d: {
            id,
            channel_id: "1",
            guild_id: "2",
            author: USER,
            content: "hello",
            type: 0,
            timestamp: "2026-01-01T00:00:00Z",
          },
        },
      ],
    });
  const ingressHeaders = (body: string, timestamp = Math.floor(Date.now() / 1000)) => ({
    "content-type": "application/json",
    ...sign(body, {
      scheme: ingressScheme,
      secrets: [setting.environment.CONNECTOR_INGRESS_SECRET],
      id: "batch",
      timestamp,
    }),
  });

  it("H6 answers 401 to an ingress batch that is unsigned, signed with another secret, or changed", async () => {
    const body = batch();
    const other = sign(body, {
      scheme: ingressScheme,
      secrets: ["x".repeat(32)],
      id: "b",
      timestamp: Math.floor(Date.now() / 1000),
    });
    for (const [sent, headers] of [
      [body, {}],
      [body, other],
      [body.replace("hello", "hallo"), ingressHeaders(body)],
      [body, ingressHeaders(body, Math.floor(Date.now() / 1000) - 301)],
    ] as [string, Record<string, string>][]) {
      const response = await post(ingress, sent, headers);
      expect(response.status).toBe(401);
      expect(response.headers.get("content-type")).toContain("application/problem+json");
    }
    expect((await read("/v1/events?type=discord.message_sent")).events).toEqual([]);
    expect((await read(`/v1/contacts?kind=discord&value=${USER.id}`)).contacts).toEqual([]);
  });

  it("H6 answers 400 to a signed body that is not JSON, and 413 to one over the limit", async () => {
    const notJson = "{ this is not JSON";
    const refused = await post(ingress, notJson, ingressHeaders(notJson));
    expect(refused.status).toBe(400);
    const huge = JSON.stringify({ items: [], padding: "x".repeat(1024 * 1024) });
    const tooLarge = await post(ingress, huge, ingressHeaders(huge));
    expect(tooLarge.status).toBe(413);
    expect(await codeOf(tooLarge)).toBe("body_too_large");
  });

  it("H5 answers 401 to interactions that are unsigned, stale, or signed over another body", async () => {
    const body = interaction(2, { id: "1", name: "link", type: 1 });
    for (const [sent, headers] of [
      [body, { "content-type": "application/json" }],
      [body, setting.sign(body, Math.floor(Date.now() / 1000) - 301)],
      [body, setting.sign(body, Math.floor(Date.now() / 1000) + 400)],
      [interaction(2, { id: "1", name: "link", type: 1 }), setting.sign(body)],
    ] as [string, Record<string, string>][]) {
      expect((await post(interactions, sent, headers)).status).toBe(401);
    }
  });

  it("H5 accepts an interaction once: its replay within the window is refused", async () => {
    const body = interaction(2, { id: "1", name: "link", type: 1 });
    const headers = setting.sign(body);
    const first = await post(interactions, body, headers);
    expect(first.status).toBe(200);
    expect(((await first.json()) as { type: number }).type).toBe(9);
    const replay = await post(interactions, body, headers);
    expect(replay.ok).toBe(false);
    expect(await codeOf(replay)).toMatch(/replay/);
  });

  it("answers an unknown command with a private sentence", async () => {
    const body = interaction(2, { id: "9", name: "no-such-command", type: 1 });
    const response = await post(interactions, body, setting.sign(body));
    const answer = (await response.json()) as { type: number; data: { content: string; flags: number } };
    expect(answer.type).toBe(4);
    expect(answer.data.flags & 64).toBe(64);
  });

  it("H3 answers 404 to a confirm token that nobody made, by page and by button", async () => {
    const path = "/connect/discord";
    const page = await fetch(`${api.url}${path}?token=${"a".repeat(43)}`);
    expect(page.status).toBe(404);
    expect(await page.text()).toContain("<html");
    const pressed = await post(path, `token=${"a".repeat(43)}`, {
      "content-type": "application/x-www-form-urlencoded",
    });
    expect(pressed.status).toBe(404);
  });

  it("answers 401 without an API key, and names each field that is wrong", async () => {
    expect((await post("/v1/machines", "{}", { "content-type": "application/json" })).status).toBe(401);
    const headers = {
      "content-type": "application/json",
      authorization: `Bearer ${setting.environment.API_KEY}`,
    };
    const wrong = await post("/v1/machines", JSON.stringify({ hostname: "", ip_address: "not-an-address" }), headers);
    expect(wrong.status).toBe(400);
    const problem = (await wrong.json()) as { code: string; errors: { pointer: string }[] };
    expect(problem.code).toBe("validation_failed");
    expect(problem.errors.map(({ pointer }) => pointer)).toEqual(["/body/hostname", "/body/ip_address"]);
    const notJson = await post("/v1/machines", "{ nope", headers);
    expect(notJson.status).toBe(400);
    expect(notJson.headers.get("content-type")).toContain("application/problem+json");
  });

  it.each([
    [
      "/v1/tickets",
      { title: "a\u0000b", description: "\u0000", created_by: "anna" },
      ["/body/title", "/body/description"],
    ],
    ["/v1/companies", { name: "\u0000Acme" }, ["/body/name"]],
    ["/v1/alerts", { title: "a", message: "b", severity: "info", source: "\u0000" }, ["/body/source"]],
  ])("refuses text at %s that no database stores, by field", async (path, body, pointers) => {
    const headers = {
      "content-type": "application/json",
      authorization: `Bearer ${setting.environment.API_KEY}`,
    };
    const response = await post(path, JSON.stringify(body), headers);
    const { code, errors } = (await response.json()) as { code: string; errors: { pointer: string }[] };
    expect([response.status, code]).toEqual([400, "validation_failed"]);
    expect(errors.map(({ pointer }) => pointer).sort()).toEqual([...pointers].sort());
    expect((await fetch(`${api.url}/v1/tickets/tkt_%00`, { headers })).status).toBe(400);
  });

  it.each([
    ["an address that is private without being allowed", { url: "https://10.0.0.1/hook", events: ["*"] }, "/body/url"],
    ["no event type", { url: "https://example.com/hook", events: [] }, "/body/events"],
    ["a URL that is none", { url: "nonsense", events: ["*"] }, "/body/url"],
    ["an unknown scheme", { url: "https://example.com/hook", events: ["*"], scheme: "rot13" }, "/body/scheme"],
  ])("W1 checks an endpoint with %s", async (_, input, pointer) => {
    const headers = {
      "content-type": "application/json",
      authorization: `Bearer ${setting.environment.API_KEY}`,
    };
    const response = await post("/v1/endpoints", JSON.stringify(input), headers);
    expect(response.status).toBe(400);
    const { errors } = (await response.json()) as { errors: { pointer: string }[] };
    expect(errors.map((error) => error.pointer)).toContain(pointer);
  });

  it("lists every event type that it publishes, with schema and example", async () => {
    const headers = { authorization: `Bearer ${setting.environment.API_KEY}` };
    const answer = await fetch(`${api.url}/v1/event-types`, { headers });
    const { eventTypes } = (await answer.json()) as {
      eventTypes: { type: string; schema: unknown; example: unknown }[];
    };
    const types = eventTypes.map(({ type }) => type);
    for (const type of [
      "ticket.created",
      "ai.response.rejected",
      "discord.linked",
      "discord.unlinked",
      "discord.gap",
    ]) {
      expect(types).toContain(type);
    }
    for (const { schema, example } of eventTypes) expect([schema, example]).not.toContain(null);
  });

  it("documents every route, those of connectors and of the dispatcher too", async () => {
    const document = (await (await fetch(`${api.url}/openapi.json`)).json()) as { paths: Record<string, unknown> };
    for (const path of [
      ingress,
      interactions,
      "/v1/connectors/discord/oauth/callback",
      "/v1/endpoints",
      "/v1/deliveries/{deliveryId}/retry",
      "/v1/contacts/{contactId}/timeline",
      "/v1/machines",
      "/connect/discord",
      "/health",
    ]) {
      expect(Object.keys(document.paths)).toContain(path);
    }
  });
});
