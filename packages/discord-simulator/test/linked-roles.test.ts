import { describe, expect, it } from "vitest";
import type { DiscordSimulator } from "../src/index.js";
import { simulatorFactory } from "./started-simulator.js";

const REDIRECT = "http://127.0.0.1:4000/callback";
const verified = { type: 7, key: "verified", name: "Verified", description: "Has an address" };

async function grant(simulator: DiscordSimulator, scope: string) {
  const { id, clientSecret } = simulator.application;
  const query = new URLSearchParams({ client_id: id, response_type: "code", redirect_uri: REDIRECT, scope });
  const back = await simulator.member("anna").authorize(`${simulator.url}/oauth2/authorize?${query}`);
  const form = { grant_type: "authorization_code", code: new URL(back).searchParams.get("code") ?? "" };
  const answer = await fetch(`${simulator.url}/api/v10/oauth2/token`, {
    method: "POST",
    headers: { authorization: `Basic ${Buffer.from(`${id}:${clientSecret}`).toString("base64")}` },
    body: new URLSearchParams({ ...form, redirect_uri: REDIRECT }),
  });
  return (await answer.json()) as { access_token: string; refresh_token: string };
}

function client(simulator: DiscordSimulator, authorization: string) {
  return async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(`${simulator.url}/api/v10${path}`, {
      method,
      headers: { authorization, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === "" ? null : (JSON.parse(text) as Record<string, unknown>) };
  };
}

describe("Linked Roles", () => {
  const start = simulatorFactory();

  it("N8 keeps the application's metadata records, five at most, each key once", async () => {
    const simulator = await start();
    const bot = client(simulator, `Bot ${simulator.application.botToken}`);
    const path = `/applications/${simulator.application.id}/role-connections/metadata`;
    expect(await bot("GET", path)).toEqual({ status: 200, body: [] });
    expect(await bot("PUT", path, [verified])).toEqual({ status: 200, body: [verified] });
    const wrong = [
      [verified, verified],
      [{ ...verified, key: "Verified!" }],
      [{ ...verified, type: 9 }],
      [{ ...verified, name: "" }],
      ["a", "b", "c", "d", "e", "f"].map((key) => ({ ...verified, key })),
    ];
    for (const records of wrong) {
      expect(await bot("PUT", path, records)).toMatchObject({ status: 400, body: { code: 50035 } });
    }
    expect((await bot("GET", path)).body).toEqual([verified]);
    expect((await bot("GET", path.replace(/\d+/, "1"))).status).toBe(404);
    expect((await client(simulator, "Bot wrong")("GET", path)).status).toBe(401);
  });

  it("N8 takes a person's role connection from a token with the scope, and checks its values", async () => {
    const simulator = await start({ redirectUris: [REDIRECT] });
    const bot = client(simulator, `Bot ${simulator.application.botToken}`);
    await bot("PUT", `/applications/${simulator.application.id}/role-connections/metadata`, [verified]);
    const path = `/users/@me/applications/${simulator.application.id}/role-connection`;
    const without = client(simulator, `Bearer ${(await grant(simulator, "identify")).access_token}`);
    expect(await without("PUT", path, {})).toMatchObject({ status: 403, body: { code: 50026 } });

    const token = await grant(simulator, "identify role_connections.write");
    const anna = client(simulator, `Bearer ${token.access_token}`);
    expect((await anna("GET", path)).body).toEqual({ platform_name: null, metadata: {} });
    const connection = { platform_name: "Acme", platform_username: null, metadata: { verified: "1" } };
    expect(await anna("PUT", path, { platform_name: "Acme", metadata: { verified: 1 } })).toEqual({
      status: 200,
      body: connection,
    });
    for (const metadata of [{ verified: "yes" }, { unknown: "1" }]) {
      expect(await anna("PUT", path, { metadata })).toMatchObject({ status: 400, body: { code: 50035 } });
    }
    expect((await simulator.state()).authorizations).toMatchObject([
      { username: "anna", scopes: ["identify", "role_connections.write"], roleConnection: connection },
    ]);
    expect((await anna("DELETE", path)).status).toBe(204);
    expect((await simulator.state()).authorizations[0]?.roleConnection).toBeNull();
  });

  it("N8 ends every token of a person who removes the application, or whose token is revoked", async () => {
    const simulator = await start({ redirectUris: [REDIRECT] });
    const { id, clientSecret } = simulator.application;
    const first = await grant(simulator, "identify");
    const second = await grant(simulator, "identify role_connections.write");
    const read = async ({ access_token: token }: { access_token: string }) =>
      (await client(simulator, `Bearer ${token}`)("GET", "/users/@me")).status;
    expect([await read(first), await read(second)]).toEqual([200, 200]);
    await simulator.member("anna").deauthorize();
    expect([await read(first), await read(second)]).toEqual([401, 401]);
    await expect(simulator.member("anna").deauthorize()).rejects.toMatchObject({ code: "not_authorized" });

    const third = await grant(simulator, "identify");
    const revoked = await fetch(`${simulator.url}/api/v10/oauth2/token/revoke`, {
      method: "POST",
      body: new URLSearchParams({ client_id: id, client_secret: clientSecret, token: third.refresh_token }),
    });
    expect([revoked.status, await read(third)]).toEqual([200, 401]);
    expect((await simulator.state()).authorizations).toEqual([]);
  });
});
