import { createDiscordSimulator, type DiscordSimulator } from "@hookline/discord-simulator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ConfirmRequest, LinkedRoleValues } from "../src/index.js";
import { startApp, type TestApp } from "./support/app.js";
import { createMemoryTokens, type MemoryTokens } from "./support/memory-tokens.js";

const REDIRECT_URI = "http://127.0.0.1/v1/connectors/discord/oauth/callback";
const since = new Date("2026-01-02T03:04:05.000Z");

let simulator: DiscordSimulator;
let app: TestApp;
let store: MemoryTokens;
let described: LinkedRoleValues | null;
let look: () => LinkedRoleValues | null;
let refusal: "link_used" | null;
let nowMs: number;
let unlinked: unknown[];
let refusesDeletion: boolean;
let asked: ConfirmRequest[];

beforeEach(async () => {
  store = createMemoryTokens(async () => (await account()).discordId);
  described = { verified: true, known_since: since };
  look = () => described;
  refusal = null;
  nowMs = Date.now();
  unlinked = [];
  refusesDeletion = false;
  asked = [];
  simulator = createDiscordSimulator({ redirectUris: [REDIRECT_URI] });
  const { url } = await simulator.start();
  const { id, clientSecret, botToken, publicKeyHex } = simulator.application;
  app = await startApp({
    applicationId: id,
    clientSecret,
    botToken,
    publicKeyHex,
    restBaseUrl: `${url}/api/v10`,
    redirectUri: REDIRECT_URI,
    fetch: async (input, init) =>
      refusesDeletion && init?.method === "DELETE"
        ? Response.json({ message: "Missing Access", code: 50_001 }, { status: 403 })
        : fetch(input, init),
    clock: { now: () => nowMs, setTimer: () => () => {} },
    linkedRoles: {
      platformName: "Acme",
      fields: [
        { key: "verified", type: "boolean_equal", name: "Verified", description: "Has an address" },
        { key: "known_since", type: "datetime_at_least", name: "Known since", description: "Days at Acme" },
      ],
      tokens: store,
      describe: async () => look(),
    },
    listTenants: async () => ["acme", "beta"],
    resolveContact: async () => (refusal ? { ok: false, reason: refusal } : undefined),
    requestConfirm: async (request) => {
      asked.push(request);
      return request.email.startsWith("often") ? { ok: false, reason: "rate_limited" } : { ok: true };
    },
    unlink: async (request) => {
      unlinked.push(request);
    },
  });
});
afterEach(async () => {
  await app.close();
  await simulator.close();
});

/** Anna's browser through one round. */
async function link() {
  const { url, setCookie } = app.connector.startOAuth({
    purpose: "member_link",
    tenantId: "acme",
    email: "anna@work.example",
  });
  const { search } = new URL(await simulator.member("anna").authorize(url));
  const cookie = setCookie.split(";")[0] ?? "";
  return fetch(`${app.url}/oauth/callback${search}`, { headers: { cookie } });
}

const account = async () => {
  const members = (await simulator.state()).guilds[0]?.members ?? [];
  return { tenantId: "acme", discordId: members.find(({ username }) => username === "anna")?.id ?? "" };
};
const shown = async () => (await simulator.state()).authorizations.find(({ username }) => username === "anna");
async function sync() {
  const order = app.connector.linkedRoleSync(await account());
  if (order === null) throw new Error("There are no linked roles.");
  app.sent.push(order);
  return app.deliver();
}
const writes = async () => (await simulator.requests()).filter(({ method }) => method === "PUT").length;

describe("Linked Roles", () => {
  beforeEach(() => app.connector.registerLinkedRoleFields());

  it("N8 registers its fields by difference: none of others' is touched, nothing is sent for what fits", async () => {
    expect(await app.connector.registerLinkedRoleFields()).toMatchObject({ unchanged: ["verified", "known_since"] });
    expect(await writes()).toBe(1);
    const path = `${simulator.url}/api/v10/applications/${simulator.application.id}/role-connections/metadata`;
    const headers = { authorization: `Bot ${simulator.application.botToken}`, "content-type": "application/json" };
    const other = { key: "theirs", type: 2, name: "Theirs", description: "Of another program" };
    const changed = { key: "verified", type: 7, name: "Old name", description: "Has an address" };
    await fetch(path, { method: "PUT", headers, body: JSON.stringify([other, changed]) });
    expect(await app.connector.registerLinkedRoleFields()).toEqual({
      created: ["known_since"],
      changed: ["verified"],
      unchanged: [],
    });
    const records = (await (await fetch(path, { headers })).json()) as { key: string; name: string }[];
    expect(records.map(({ key, name }) => [key, name])).toEqual([
      ["theirs", "Theirs"],
      ["verified", "Verified"],
      ["known_since", "Known since"],
    ]);
  });

  it("N8 writes a linked member's role connection, and takes it away with the tokens when they are unlinked", async () => {
    expect((await link()).status).toBe(200);
    expect(await sync()).toEqual([["delivered"]]);
    expect(await shown()).toMatchObject({
      scopes: ["identify", "role_connections.write"],
      roleConnection: { platform_name: "Acme", metadata: { verified: "1", known_since: since.toISOString() } },
    });
    described = null;
    expect(await sync()).toEqual([["delivered"]]);
    expect(await shown()).toBeUndefined();
    expect(store.size()).toBe(0);
    expect(await sync()).toEqual([["delivered"]]);
  });

  it("N8 takes away what was written while the member was being unlinked", async () => {
    await link();
    // The first look says linked; the one after the write does not.
    const looks = [{ verified: true }, null];
    look = () => looks.shift() ?? null;
    expect(await sync()).toEqual([["delivered"]]);
    expect([store.size(), await shown()]).toEqual([0, undefined]);
  });

  it("N8 refreshes a token that has run out, and keeps the new one", async () => {
    await link();
    const before = store.peek();
    nowMs += 604_800_000;
    expect(await sync()).toEqual([["delivered"]]);
    expect(store.peek()?.accessToken).not.toBe(before?.accessToken);
    expect((await shown())?.roleConnection).not.toBeNull();
    expect(app.log.join()).not.toContain(before?.accessToken);
  });

  it("N8 gives up on a member who has withdrawn the access, and forgets the tokens", async () => {
    await link();
    await simulator.member("anna").deauthorize();
    expect(await sync()).toEqual([["dead"]]);
    expect(store.size()).toBe(0);
  });

  it("N8 tries again while somebody else works with the tokens, and while Discord is down", async () => {
    await link();
    await store.claim(await account(), { forMs: 1 });
    expect(await sync()).toEqual([Array(6).fill("retry")]);
    store.free();
    await simulator.faults.failRequests({ count: 1, path: "role-connection" });
    expect(await sync()).toEqual([["retry", "delivered"]]);
  });

  it("N9 gives the tokens back of who was erased once Discord is there again, by an order that names nobody", async () => {
    await link();
    await sync();
    expect(app.connector.linkedRoleSync(await account())?.subjectIds).toEqual([
      `discord:${(await account()).discordId}`,
    ]);
    described = null;
    const order = app.connector.releaseTokens?.("acme");
    if (!order) throw new Error("There are no linked roles.");
    expect(order).toEqual({ tenantId: "acme", destination: order.destination, target: {}, data: {} });
    await simulator.faults.failRequests({ count: 1, path: "role-connection" });
    app.sent.push(order, order);
    expect(await app.deliver()).toEqual([["retry", "delivered"], ["delivered"]]);
    expect([store.size(), await shown()]).toEqual([0, undefined]);
  });

  it("N9 gives tokens back past those that can't be given back now", async () => {
    await link();
    described = null;
    store.occupy(["1", "2"]);
    const order = app.connector.releaseTokens?.("acme");
    if (order) app.sent.push(order);
    expect(await app.deliver({ maxAttempts: 1 })).toEqual([["retry"]]);
    expect(store.size()).toBe(0);
  });

  it("N9 forgets the tokens where Discord refuses for good to take the role connection away", async () => {
    await link();
    described = null;
    refusesDeletion = true;
    expect(await sync()).toEqual([["dead"]]);
    expect(store.size()).toBe(0);
  });

  it("H11 gives the tokens back of an account that the link refused", async () => {
    refusal = "link_used";
    described = null;
    expect((await link()).status).toBe(409);
    expect(await app.deliver()).toEqual([["delivered"]]);
    expect([store.size(), await shown()]).toEqual([0, undefined]);
  });
});

describe("the Linked Roles verification page", () => {
  beforeEach(() => app.connector.registerLinkedRoleFields());

  const own = { "sec-fetch-site": "same-origin" };
  const post = (path: string, fields: Record<string, string>, headers: Record<string, string> = own) =>
    fetch(`${app.url}/oauth/${path}`, {
      method: "POST",
      redirect: "manual",
      headers,
      body: new URLSearchParams(fields),
    });
  const fieldOf = (html: string, name: string) => new RegExp(`name="${name}" value="([^"]+)"`).exec(html)?.[1] ?? "";
  /** Anna's browser, from the address in the portal to where she ends. */
  async function visit() {
    const page = await fetch(`${app.url}/oauth/linked-role`);
    expect([page.status, page.headers.get("set-cookie")]).toEqual([200, null]);
    const begun = await post("start", { link: fieldOf(await page.text(), "link") });
    const cookie = begun.headers.get("set-cookie")?.split(";")[0] ?? "";
    const { search } = new URL(await simulator.member("anna").authorize(begun.headers.get("location") ?? ""));
    const ended = await fetch(`${app.url}/oauth/callback${search}`, { headers: { cookie } });
    return { status: ended.status, html: await ended.text() };
  }

  it("N8 H11 writes the role connection of a member who was linked by /link and had given no token", async () => {
    const { status, html } = await visit();
    expect([status, html]).toEqual([200, expect.stringContaining("Discord is told what it may know of anna")]);
    expect(app.sent[0]).toMatchObject({ tenantId: "default", target: { discordId: (await account()).discordId } });
    expect(await app.deliver()).toEqual([["delivered"]]);
    expect((await shown())?.roleConnection).toMatchObject({ platform_name: "Acme" });
    expect(store.peekRelease()).toBeNull();
  });

  it("N8 keeps the tokens of a linked member whose round broke off", async () => {
    look = () => {
      throw new Error("The database is away.");
    };
    await visit();
    expect(store.peekRelease()).toBe(3_600_000);
    look = () => described;
    expect(await sync()).toEqual([["delivered"]]);
    expect([store.size(), store.peekRelease()]).toEqual([1, null]);
  });

  it("N8 H3 asks a member who is not linked for an address, mails once for each, and keeps the tokens for an hour", async () => {
    described = null;
    const { html } = await visit();
    expect(html).toContain("<strong>anna</strong> is not connected to an email address at this service yet");
    const ticket = fieldOf(html, "ticket");
    const wrong = await post("linked-role", { ticket, email: "anna" });
    expect([wrong.status, await wrong.text()]).toEqual([400, expect.stringContaining("not a valid email address")]);
    expect(asked).toEqual([]);
    for (let time = 1; time <= 2; time += 1) {
      const sent = await post("linked-role", { ticket, email: " anna@work.example " });
      expect([sent.status, await sent.text()]).toEqual([200, expect.stringContaining("Check your inbox")]);
    }
    const { discordId } = await account();
    const request = { discordUserId: discordId, discordUserName: "anna", tenantId: "default", guildId: null };
    expect(asked).toMatchObject([{ ...request, email: "anna@work.example" }, request]);
    expect(asked[1]?.interactionId).toBe(asked[0]?.interactionId);
    const often = await post("linked-role", { ticket, email: "often@work.example" });
    expect([often.status, asked[2]?.interactionId]).toEqual([
      429,
      expect.not.stringContaining(asked[0]?.interactionId ?? ""),
    ]);
    expect(html + asked[0]?.interactionId + app.log.join()).not.toMatch(/work\.example/);

    expect([store.size(), store.peekRelease()]).toEqual([1, 3_600_000]);
    const [order] = app.sent;
    expect(order?.target).toEqual({ notBefore: new Date(nowMs + 3_600_000).toISOString() });
    nowMs += 3_600_000;
    expect(await app.deliver()).toEqual([["delivered"]]);
    expect([store.size(), await shown()]).toEqual([0, undefined]);
    expect((await post("linked-role", { ticket, email: "anna@work.example" })).status).toBe(410);
  });

  it("H11 takes no address from another site's form, nor with a changed ticket", async () => {
    described = null;
    const ticket = fieldOf((await visit()).html, "ticket");
    const email = "anna@work.example";
    expect((await post("linked-role", { ticket, email }, { "sec-fetch-site": "cross-site" })).status).toBe(403);
    expect((await post("linked-role", { ticket: ticket.slice(4), email })).status).toBe(410);
    expect(asked).toEqual([]);
  });

  it("H11 says so when a member presses Cancel, and offers the same page", async () => {
    const page = await fetch(`${app.url}/oauth/linked-role`);
    const begun = await post("start", { link: fieldOf(await page.text(), "link") });
    const cookie = begun.headers.get("set-cookie")?.split(";")[0] ?? "";
    const location = begun.headers.get("location") ?? "";
    expect(new URL(location).searchParams.get("scope")).toBe("identify role_connections.write");
    const { search } = new URL(await simulator.member("anna").authorize(location, { allowed: false }));
    const ended = await fetch(`${app.url}/oauth/callback${search}`, { headers: { cookie } });
    expect([ended.status, await ended.text()]).toEqual([403, expect.stringContaining("Try again")]);
    expect(store.size()).toBe(0);
  });
});

describe("Webhook Events", () => {
  const setUp = () => simulator.setWebhookEventsUrl(`${app.url}/webhook-events`);
  const settled = async () => {
    for (let tries = 0; tries < 500; tries += 1) {
      const events = await simulator.webhookEvents();
      if (events.every(({ status }) => status === "delivered")) return events.length;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`not settled: ${JSON.stringify(await simulator.webhookEvents())}`);
  };

  it("N8 answers PING and a wrong signature as Discord wants, and stores who authorized the application, once", async () => {
    await setUp();
    await link();
    await settled();
    await simulator.sendWebhookEventsAgain();
    expect(await settled()).toBe(2);
    const { discordId } = await account();
    expect(app.ingested).toMatchObject([
      {
        tenantId: "default",
        type: "discord.application_authorized",
        identities: [{ kind: "discord", value: discordId }],
        data: { scopes: ["identify", "role_connections.write"] },
      },
    ]);
    expect(Math.abs((app.ingested[0]?.timestamp.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  it("N8 unlinks who removed the application, in every tenant, once, and not who allowed it anew since", async () => {
    await setUp();
    await link();
    await simulator.member("anna").deauthorize();
    await settled();
    await simulator.sendWebhookEventsAgain();
    await settled();
    const { discordId } = await account();
    expect(app.sent.map(({ tenantId }) => tenantId)).toEqual(["acme", "beta"]);
    expect(JSON.stringify(app.sent.map(({ data }) => data))).not.toContain(discordId);
    const orders = [...app.sent];
    store.grant(new Date(0));
    await app.deliver();
    const request = { discordUserId: discordId, reason: "deauthorized" };
    expect(unlinked).toMatchObject([
      { ...request, tenantId: "acme" },
      { ...request, tenantId: "beta" },
    ]);
    store.grant(new Date(Date.now() + 60_000));
    app.sent.push(...orders);
    await app.deliver();
    expect(unlinked).toHaveLength(2);
  });
});
