import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { DiscordSimulator } from "../src/index.js";
import { simulatorFactory } from "./started-simulator.js";

const REDIRECT = "http://127.0.0.1:9999/callback";

describe("OAuth", () => {
  const start = simulatorFactory();

  const authorizeUrl = ({ application, url }: DiscordSimulator, changes: Record<string, string> = {}) =>
    `${url}/oauth2/authorize?${new URLSearchParams({
      client_id: application.clientId,
      redirect_uri: REDIRECT,
      response_type: "code",
      scope: "identify email",
      state: "s-1",
      ...changes,
    })}`;

  async function token({ application, url }: DiscordSimulator, form: Record<string, string>) {
    const response = await fetch(`${url}/api/v10/oauth2/token`, {
      method: "POST",
      headers: { authorization: `Basic ${btoa(`${application.clientId}:${application.clientSecret}`)}` },
      body: new URLSearchParams(form),
    });
    return { status: response.status, body: (await response.json()) as Record<string, string> };
  }

  const codeOf = (redirect: string) => new URL(redirect).searchParams.get("code") ?? "";

  it("N6 sends a person back with a code that is good once, for a token that reads who they are", async () => {
    const simulator = await start({ redirectUris: [REDIRECT] });
    const redirect = await simulator.member("anna").authorize(authorizeUrl(simulator));
    expect(redirect.startsWith(`${REDIRECT}?code=`)).toBe(true);
    expect(new URL(redirect).searchParams.get("state")).toBe("s-1");
    const grant = { grant_type: "authorization_code", code: codeOf(redirect), redirect_uri: REDIRECT };
    const first = await token(simulator, grant);
    expect(first).toMatchObject({ status: 200, body: { token_type: "Bearer", scope: "identify email" } });
    expect(await token(simulator, grant)).toMatchObject({ status: 400, body: { error: "invalid_grant" } });

    const read = async (path: string, accessToken = first.body.access_token) =>
      (await fetch(`${simulator.url}/api/v10${path}`, { headers: { authorization: `Bearer ${accessToken}` } })).json();
    expect(await read("/users/@me")).toMatchObject({ username: "anna", email: "anna@example.com" });
    expect(await read("/users/@me/guilds")).toMatchObject({ code: 50026 });
    expect(await read("/users/@me", "wrong")).toMatchObject({ code: 0, message: "401: Unauthorized" });
    expect(await read(`/users/${simulator.application.id}`)).toMatchObject({ message: "401: Unauthorized" });

    const refreshed = await token(simulator, {
      grant_type: "refresh_token",
      refresh_token: first.body.refresh_token ?? "",
    });
    expect(await read("/users/@me")).toMatchObject({ message: "401: Unauthorized" });
    expect(await read("/oauth2/@me", refreshed.body.access_token)).toMatchObject({ user: { username: "anna" } });
  });

  it("N6 refuses unregistered redirect URIs, wrong secrets and verifiers, and lets people say no", async () => {
    const simulator = await start({ redirectUris: [REDIRECT] });
    const anna = simulator.member("anna");
    await expect(
      anna.authorize(authorizeUrl(simulator, { redirect_uri: "http://evil.example/" })),
    ).rejects.toMatchObject({
      code: "invalid_input",
      message: "Invalid OAuth2 redirect_uri",
    });
    const refused = await anna.authorize(authorizeUrl(simulator), { allowed: false });
    expect(new URL(refused).searchParams.get("error")).toBe("access_denied");

    const challenge = createHash("sha256").update("the verifier").digest("base64url");
    const pkce = { code_challenge: challenge, code_challenge_method: "S256" };
    const redeem = async (verifier: string) => {
      const code = codeOf(await anna.authorize(authorizeUrl(simulator, pkce)));
      const form = { grant_type: "authorization_code", code, redirect_uri: REDIRECT, code_verifier: verifier };
      return (await token(simulator, form)).status;
    };
    expect([await redeem("wrong"), await redeem("the verifier")]).toEqual([400, 200]);
    const wrong = await fetch(`${simulator.url}/api/v10/oauth2/token`, {
      method: "POST",
      body: new URLSearchParams({ client_id: simulator.application.clientId, client_secret: "wrong" }),
    });
    expect([wrong.status, await wrong.json()]).toEqual([401, { error: "invalid_client" }]);
  });

  it("N6 shows a page on which a person decides, for an installation with its guild", async () => {
    const simulator = await start({ redirectUris: [REDIRECT] });
    const url = authorizeUrl(simulator, { scope: "bot applications.commands", permissions: "8" });
    const page = await (await fetch(url)).text();
    expect(page).toContain("Hookline asks for access");
    const answer = await fetch(url, {
      method: "POST",
      redirect: "manual",
      body: new URLSearchParams({ member: "owner", decision: "authorize" }),
    });
    expect(answer.status).toBe(302);
    const location = answer.headers.get("location") ?? "";
    const guildId = (await simulator.state()).guilds[0]?.id ?? "";
    expect(new URL(location).searchParams.get("guild_id")).toBe(guildId);
    const grant = { grant_type: "authorization_code", code: codeOf(location), redirect_uri: REDIRECT };
    expect(await token(simulator, grant)).toMatchObject({ body: { guild: { id: guildId } } });
    expect((await fetch(authorizeUrl(simulator, { client_id: "1" }))).status).toBe(400);
  });
});
