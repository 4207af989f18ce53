import { createDiscordSimulator, type DiscordSimulator } from "@hookline/discord-simulator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DerivedPatch, OAuthPurpose, ResolveContactRequest } from "../src/index.js";
import { startApp, type TestApp } from "./support/app.js";

const REDIRECT_URI = "http://127.0.0.1/v1/connectors/discord/oauth/callback";

let simulator: DiscordSimulator;
let app: TestApp;
let saved: DerivedPatch[];
let resolved: ResolveContactRequest[];

beforeEach(async () => {
  saved = [];
  resolved = [];
  simulator = createDiscordSimulator({ redirectUris: [REDIRECT_URI] });
  const { url } = await simulator.start();
  app = await startApp({
    applicationId: simulator.application.id,
    clientSecret: simulator.application.clientSecret,
    restBaseUrl: `${url}/api/v10`,
    redirectUri: REDIRECT_URI,
    saveDerived: async (patch) => {
      saved.push(patch);
    },
    resolveContact: async (request) => {
      resolved.push(request);
    },
  });
});
afterEach(async () => {
  await app.close();
  await simulator.close();
});

/** A person's browser: to Discord, a decision there, and back with the cookie. */
async function round(member: string, purpose: OAuthPurpose, decision: { allowed?: boolean; guild?: string } = {}) {
  const { url, setCookie } = app.connector.startOAuth(purpose);
  const { search } = new URL(await simulator.member(member).authorize(url, decision));
  return fetch(`${app.url}/oauth/callback${search}`, {
    redirect: "manual",
    headers: { cookie: setCookie.split(";")[0] ?? "" },
  });
}

describe("OAuth against the simulated Discord", () => {
  it("H11 several servers are installed, each kept with its tenant", async () => {
    const second = await simulator.addGuild({ name: "Second" });
    const first = (await simulator.state()).guilds[0];
    const install = (guild: string) => round("owner", { purpose: "install", tenantId: "acme" }, { guild });
    expect((await install(first?.id ?? "")).headers.get("location")).toContain("discord=installed");
    expect((await install(second.id)).headers.get("location")).toContain(`guild_id=${second.id}`);
    expect(Object.assign({}, ...saved)).toMatchObject({
      [`guild.${first?.id}`]: { name: "Hookline Community", tenantId: "acme" },
      [`guild.${second.id}`]: { name: "Second", tenantId: "acme" },
    });
  });

  it("H11 a member is linked to the address of the link, though the account has another", async () => {
    const response = await round("anna", { purpose: "member_link", tenantId: "acme", email: "anna@work.example" });
    expect(await response.text()).toContain("anna is connected");
    expect(resolved).toMatchObject([{ tenantId: "acme", email: "anna@work.example", discordUserName: "anna" }]);
  });

  it("H11 a member who says no is told so, and nothing is linked", async () => {
    const purpose = { purpose: "member_link", tenantId: "acme", email: "anna@work.example" } as const;
    const response = await round("anna", purpose, { allowed: false });
    expect(response.status).toBe(403);
    expect(resolved).toEqual([]);
  });
});
