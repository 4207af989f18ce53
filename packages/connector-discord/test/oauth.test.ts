import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DerivedPatch, DiscordConnectorOptions, OAuthPurpose, ResolveContactRequest } from "../src/index.js";
import { APPLICATION_ID, startApp, type TestApp } from "./support/app.js";

let app: TestApp;
let saved: DerivedPatch[];
let resolved: ResolveContactRequest[];
let nowMs: number;
let refusal: "guild_taken" | "link_used" | null;

const options: Partial<DiscordConnectorOptions> = {
  redirectUri: "https://api.example.com/v1/connectors/discord/oauth/callback",
  studioIntegrationsUrl: "https://api.example.com/studio/integrations",
  saveDerived: async (patch) => {
    saved.push(patch);
    return refusal === "guild_taken" ? { ok: false, reason: refusal } : undefined;
  },
  resolveContact: async (request) => {
    resolved.push(request);
    return refusal === "link_used" ? { ok: false, reason: refusal } : undefined;
  },
  clock: { now: () => nowMs, setTimer: () => () => {} },
};

beforeEach(async () => {
  saved = [];
  resolved = [];
  refusal = null;
  nowMs = Date.now();
  app = await startApp(options);
  app.discord.answer = ({ path }) =>
    path === "/oauth2/token"
      ? { status: 200, body: { access_token: "access-token", guild: { id: "200000000000000001", name: "Acme" } } }
      : {
          status: 200,
          body: { id: "400000000000000001", username: "anna<b>", global_name: null, email: "other@example.com" },
        };
});
afterEach(() => app.close());

const install: OAuthPurpose = { purpose: "install", tenantId: "acme" };
const member: OAuthPurpose = { purpose: "member_link", tenantId: "acme", email: "anna@example.com" };

function begin(purpose: OAuthPurpose) {
  const { url, setCookie } = app.connector.startOAuth(purpose);
  const query = new URL(url).searchParams;
  return { url, query, state: query.get("state") ?? "", setCookie, cookie: setCookie.split(";")[0] ?? "" };
}

const callback = (query: Record<string, string>, cookie?: string) =>
  fetch(`${app.url}/oauth/callback?${new URLSearchParams(query)}`, {
    redirect: "manual",
    headers: cookie === undefined ? {} : { cookie: `other=1; ${cookie}` },
  });

describe("OAuth", () => {
  it("H11 sends an operator to Discord and stores the server under the tenant that asked", async () => {
    const { url, query, state, cookie, setCookie } = begin(install);
    expect(url).toMatch(/\/oauth2\/authorize\?/);
    expect(Object.fromEntries(query)).toMatchObject({
      client_id: APPLICATION_ID,
      response_type: "code",
      scope: "bot applications.commands",
      redirect_uri: options.redirectUri,
    });
    expect(setCookie).toMatch(
      /; Path=\/v1\/connectors\/discord\/oauth\/callback; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/,
    );
    const response = await callback({ code: "the-code", state, guild_id: "999999999999999999" }, cookie);
    expect(response.status).toBe(303);
    expect(response.headers.get("location")).toBe(
      "https://api.example.com/studio/integrations?discord=installed&guild_id=200000000000000001",
    );
    expect(response.headers.get("set-cookie")).toContain("Max-Age=0");
    expect(saved).toEqual([
      {
        "guild.200000000000000001": {
          id: "200000000000000001",
          name: "Acme",
          tenantId: "acme",
          installedAt: new Date(nowMs).toISOString(),
        },
      },
    ]);
    const form = new URLSearchParams(app.discord.calls[0]?.body);
    expect(form.get("grant_type")).toBe("authorization_code");
    expect(form.get("code")).toBe("the-code");
  });

  it("H11 links a member to the address the link was issued for, never to the one that Discord reports", async () => {
    const { query, state, cookie } = begin(member);
    expect(query.get("scope")).toBe("identify");
    expect(query.toString()).not.toContain("anna");
    const response = await callback({ code: "the-code", state }, cookie);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("anna&#60;b&#62; is connected");
    expect(resolved).toEqual([
      {
        tenantId: "acme",
        discordId: "400000000000000001",
        discordUserName: "anna<b>",
        email: "anna@example.com",
        linkId: expect.stringMatching(/^[\w-]{22}$/),
        contactProperties: { discord: { id: "400000000000000001", username: "anna<b>" } },
      },
    ]);
  });

  it("H11 works in the browser that began and in no other, and only once", async () => {
    const { state, cookie } = begin(member);
    const other = begin(member);
    for (const cookieOfOther of [undefined, other.cookie, "hookline_discord_oauth=forged.AAAA"]) {
      const response = await callback({ code: "c", state }, cookieOfOther);
      expect(response.status).toBe(400);
      expect(await response.text()).toContain("started in another browser");
    }
    expect(resolved).toEqual([]);
    expect((await callback({ code: "c", state }, cookie)).status).toBe(200);
    expect((await callback({ code: "c", state }, cookie)).status).toBe(409);
    expect(resolved).toHaveLength(1);
  });

  it.each([
    ["no state", "", "The callback has no state"],
    ["a forged state", "bm9uY2U.99999999999999.AAAA", "The state was not issued here"],
  ])("H11 refuses %s", async (_what, state, detail) => {
    const { cookie } = begin(install);
    const response = await callback({ code: "c", state }, cookie);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(detail);
    expect(app.discord.calls).toEqual([]);
  });

  it("H11 refuses a state after ten minutes", async () => {
    const { state, cookie } = begin(install);
    nowMs += 600_000;
    const response = await callback({ code: "c", state }, cookie);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("longer than ten minutes");
  });

  it.each([
    ["Not installed", install],
    ["Not connected", member],
  ])("H11 takes a no for an answer, and says what to do: %s", async (title, purpose) => {
    const { state, cookie } = begin(purpose);
    const page = await callback({ error: "access_denied", state }, cookie);
    expect(page.status).toBe(403);
    const html = await page.text();
    expect(html).toContain(`<h1>${title}</h1>`);
    expect(html).toContain("somebody pressed Cancel");
    expect(html).toContain("try again and press Authorize");
    const again = /href="([^"]+)">Try again/.exec(html)?.[1] ?? "";
    const start = await fetch(`${app.url}/oauth/start${new URL(again).search}`);
    expect(start.status).toBe(200);
    expect(app.discord.calls).toEqual([]);
    expect([saved, resolved]).toEqual([[], []]);
  });

  it("H11 refuses a server that belongs to another tenant, and a link that has bound another account", async () => {
    refusal = "guild_taken";
    const first = begin(install);
    const taken = await callback({ code: "c", state: first.state }, first.cookie);
    expect([taken.status, await taken.text()]).toEqual([409, expect.stringContaining("belongs to another account")]);
    refusal = "link_used";
    const second = begin(member);
    const used = await callback({ code: "c", state: second.state }, second.cookie);
    const html = await used.text();
    expect([used.status, html]).toEqual([409, expect.stringContaining("has connected another Discord account")]);
    expect(html).not.toContain("Try again");
  });

  it("H11 proves to Discord with PKCE that the code came to who asked for it", async () => {
    const { query, state, cookie } = begin(install);
    expect(query.get("code_challenge_method")).toBe("S256");
    await callback({ code: "c", state }, cookie);
    const verifier = new URLSearchParams(app.discord.calls[0]?.body).get("code_verifier") ?? "";
    expect(verifier).toMatch(/^[\w-]{43}$/);
    expect(createHash("sha256").update(verifier).digest("base64url")).toBe(query.get("code_challenge"));
    expect(decodeURIComponent(cookie) + state).not.toContain(verifier);
    expect(new URL(begin(install).url).searchParams.get("code_challenge")).not.toBe(query.get("code_challenge"));
  });

  it("H11 shows no address to anybody on the way: state, link and cookie are sealed", () => {
    const { url, cookie } = begin(member);
    const link = app.connector.oauthLink(member).url;
    for (const text of [url, cookie, link]) {
      expect(text).not.toContain("anna");
      for (const part of text.split(/[=&.?]/)) {
        expect(Buffer.from(part, "base64url").toString()).not.toContain("anna@");
      }
    }
  });

  it("H11 says so when Discord does not take the code, and logs no secret", async () => {
    const { state, cookie } = begin(install);
    app.discord.answer = () => ({ status: 400, body: { error: "invalid_grant" } });
    const response = await callback({ code: "the-code", state }, cookie);
    expect([response.status, await response.text()]).toEqual([502, expect.stringContaining("nothing was changed")]);
    expect(app.log.join()).toContain("could not be finished");
    expect(app.log.join()).not.toMatch(/client-secret|the-code/);
  });

  it("H6 answers a POST of the same fields in JSON, as a form or as JSON", async () => {
    for (const type of ["application/x-www-form-urlencoded", "application/json"]) {
      const { state, cookie } = begin(install);
      const fields = { code: "c", state };
      const response = await fetch(`${app.url}/oauth/callback`, {
        method: "POST",
        headers: { "content-type": type, cookie },
        body: type === "application/json" ? JSON.stringify(fields) : new URLSearchParams(fields).toString(),
      });
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({ purpose: "install", guild: { id: "200000000000000001" } });
    }
    const bad = await fetch(`${app.url}/oauth/callback`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{",
    });
    expect(await bad.json()).toMatchObject({ status: 400, code: "invalid_body" });
  });
});
