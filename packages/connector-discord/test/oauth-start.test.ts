import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DerivedPatch, OAuthPurpose } from "../src/index.js";
import { startApp, type TestApp } from "./support/app.js";

let app: TestApp;
let saved: DerivedPatch[];
let nowMs: number;

const install: OAuthPurpose = { purpose: "install", tenantId: "acme" };
const member: OAuthPurpose = { purpose: "member_link", tenantId: "acme", email: "anna+<b>@example.com" };

beforeEach(async () => {
  saved = [];
  nowMs = Date.now();
  app = await startApp({
    redirectUri: "https://api.example.com/v1/connectors/discord/oauth/callback",
    productName: "Acme & Sons",
    saveDerived: async (patch) => {
      saved.push(patch);
    },
    clock: { now: () => nowMs, setTimer: () => () => {} },
  });
  app.discord.answer = ({ path }) =>
    path === "/oauth2/token"
      ? { status: 200, body: { access_token: "t", guild: { id: "200000000000000001", name: "Acme" } } }
      : { status: 200, body: { id: "400000000000000001", username: "anna" } };
});
afterEach(() => app.close());

const tokenOf = (purpose: OAuthPurpose) => new URL(app.connector.oauthLink(purpose).url).searchParams.get("link") ?? "";
const show = (token: string) => fetch(`${app.url}/oauth/start?${new URLSearchParams({ link: token })}`);
const press = (token: string, headers: Record<string, string> = { "sec-fetch-site": "same-origin" }) =>
  fetch(`${app.url}/oauth/start`, {
    method: "POST",
    redirect: "manual",
    headers,
    body: new URLSearchParams({ link: token }),
  });

describe("the start of an OAuth round", () => {
  it("H11 shows what will be connected before anything begins, and a look changes nothing", async () => {
    const { url, expiresAt } = app.connector.oauthLink(member);
    expect(url).toMatch(/^https:\/\/api\.example\.com\/v1\/connectors\/discord\/oauth\/start\?link=/);
    expect(Date.parse(expiresAt)).toBe(nowMs + 900_000);
    const page = await show(tokenOf(member));
    expect(page.status).toBe(200);
    expect(page.headers.get("set-cookie")).toBeNull();
    const html = await page.text();
    expect(html).toContain("<strong>anna+&#60;b&#62;@example.com</strong> at Acme &#38; Sons");
    expect(html).not.toContain("<b>");
    expect(page.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(await (await show(tokenOf(install))).text()).toContain("<strong>acme</strong>");
  });

  it("H11 leads to Discord from its button, with a cookie for this browser, and ends as the link says", async () => {
    const begun = await press(tokenOf(install));
    expect(begun.status).toBe(303);
    const query = new URL(begun.headers.get("location") ?? "").searchParams;
    expect(query.get("scope")).toBe("bot applications.commands");
    const cookie = begun.headers.get("set-cookie")?.split(";")[0] ?? "";
    const ended = await fetch(`${app.url}/oauth/callback?code=c&state=${query.get("state")}`, {
      redirect: "manual",
      headers: { cookie },
    });
    expect(ended.headers.get("location")).toContain("/studio/integrations?discord=installed");
    expect(saved).toMatchObject([{ "guild.200000000000000001": { tenantId: "acme" } }]);
  });

  it("H11 lets one link begin several rounds, each with a state of its own", async () => {
    const token = tokenOf(member);
    const [first, second] = [await press(token), await press(token)].map(
      ({ headers }) => new URL(headers.get("location") ?? "").searchParams,
    );
    expect(first?.get("prompt")).toBe("consent");
    expect(first?.get("state")).not.toBe(second?.get("state"));
  });

  it.each([
    ["from another site", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
    ["from a sibling site", { "sec-fetch-site": "same-site" }],
    ["by an old browser from another site", { origin: "https://evil.example" }],
    ["by what says nothing", {}],
  ])("H11 does not begin when the button is pressed %s", async (_what, headers) => {
    const refused = await press(tokenOf(member), headers as Record<string, string>);
    expect([refused.status, refused.headers.get("set-cookie")]).toEqual([403, null]);
    expect(await refused.text()).toContain("Another site has sent you here");
  });

  it("H11 begins for an old browser that names our own origin", async () => {
    expect((await press(tokenOf(member), { origin: "https://api.example.com" })).status).toBe(303);
  });

  it("H11 refuses links that are over, incomplete, changed, or sealed for something else", async () => {
    const token = tokenOf(member);
    const state = new URL(app.connector.startOAuth(member).url).searchParams.get("state") ?? "";
    for (const wrong of ["", token.slice(0, -2), `A${token.slice(1)}`, state]) {
      const refused = await show(wrong);
      expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining("not one of ours")]);
      expect((await press(wrong)).status).toBe(400);
    }
    nowMs += 900_000;
    const late = await press(token);
    expect([late.status, await late.text()]).toEqual([410, expect.stringContaining("Ask for a new link")]);
    expect(late.headers.get("set-cookie")).toBeNull();
  });
});
