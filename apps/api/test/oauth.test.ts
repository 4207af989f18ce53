import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type ApiProcess,
  createSetting,
  type Setting,
  spawnLinkingApi,
  untilReady,
  untilRegistered,
} from "./running-api.js";

describe("OAuth through a simulated Discord", () => {
  let setting: Setting;
  let api: ApiProcess;

  beforeAll(async () => {
    setting = await createSetting();
    const { simulator } = setting;
    api = await spawnLinkingApi(setting, { RETRY_SCHEDULE_SECONDS: "1,1,1,1,1" });
    await simulator.setRedirectUris([`${api.url}/v1/connectors/discord/oauth/callback`]);
    await untilReady(api);
    await untilRegistered(simulator, "link");
    await simulator.setInteractionsUrl(`${api.url}/v1/connectors/discord/interactions`);
  }, 120_000);
  afterAll(async () => {
    api.child.kill("SIGTERM");
    await api.exited;
    await setting.close();
  });

  const call = (method: string, path: string, body?: unknown) =>
    fetch(api.url + path, {
      method,
      headers: { authorization: `Bearer ${setting.environment.API_KEY}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const read = async (path: string) =>
    (await (await call("GET", path)).json()) as {
      contacts: { id: string; identities: { kind: string }[] }[];
      events: { type: string }[];
      guilds: { id: string; verifiedRoleId: string | null }[];
    };
  const make = async (path: string, body?: unknown) => {
    const made = await call("POST", path, body);
    expect(made.status).toBe(201);
    return ((await made.json()) as { url: string }).url;
  };

  /** A browser: the link's page, its button, Discord, and back. */
  async function follow(link: string, member: string, decision: { allowed?: boolean; guild?: string } = {}) {
    const token = new URL(link).searchParams.get("link") ?? "";
    const begun = await fetch(`${api.url}/v1/connectors/discord/oauth/start`, {
      method: "POST",
      redirect: "manual",
      headers: { origin: new URL(api.url).origin },
      body: new URLSearchParams({ link: token }),
    });
    const cookie = begun.headers.get("set-cookie")?.split(";")[0] ?? "";
    const back = await setting.simulator.member(member).authorize(begun.headers.get("location") ?? "", decision);
    const ended = await fetch(back, { headers: { cookie } });
    return { status: ended.status, html: await ended.text() };
  }

  it("H11 connects a member to the address of the link: contact, discord.linked and role, as /link does", async () => {
    const link = await make("/v1/discord/member-links", { email: "Anna@Work.example" });
    const ended = await follow(link, "anna");
    expect([ended.status, ended.html]).toEqual([200, expect.stringContaining("anna is connected")]);
    const { contacts } = await read("/v1/contacts?kind=email&value=anna@work.example");
    expect(contacts[0]?.identities.map(({ kind }) => kind)).toEqual(["discord", "email"]);
    const { events } = await read("/v1/events?type=discord.linked");
    expect(events).toMatchObject([{ subjectId: contacts[0]?.id, data: { source: "discord" } }]);
    await until(async () => (await setting.simulator.rolesOf("anna")).includes("Verified"));

    // Once more by the same account changes nothing; another account can't be bound by it.
    expect((await follow(link, "anna")).status).toBe(200);
    const other = await follow(link, "ben");
    expect([other.status, other.html]).toEqual([409, expect.stringContaining("connected another Discord account")]);
    expect((await read("/v1/events?type=discord.linked")).events).toHaveLength(1);
    expect(api.output()).not.toMatch(/work\.example/i);
    expect(api.output()).not.toContain(new URL(link).searchParams.get("link"));
  });

  it("N9 erases a member at once while Discord is down, and takes the role connection away when it is back", async () => {
    const { simulator } = setting;
    expect((await follow(await make("/v1/discord/member-links", { email: "ben@work.example" }), "ben")).status).toBe(
      200,
    );
    const shown = async () => (await simulator.state()).authorizations.find(({ username }) => username === "ben");
    await until(async () => (await shown())?.roleConnection?.metadata.verified === "1");

    const { contacts } = await read("/v1/contacts?kind=email&value=ben@work.example");
    await simulator.faults.failRequests({ count: 1, path: "role-connection" });
    const erased = await call("DELETE", `/v1/contacts/${contacts[0]?.id}`);
    expect([erased.status, await erased.json()]).toEqual([200, expect.objectContaining({ status: "done" })]);
    // With the tokens the whole authorization goes.
    await until(async () => (await shown()) === undefined);
  });

  it("H11 X10 answers nothing to a server that nobody connected, until it is installed", async () => {
    const { simulator } = setting;
    const second = await simulator.addGuild({ name: "Second" });
    const owner = simulator.member("owner");
    await owner.join(second.id);
    const channel = (await simulator.state()).guilds.find(({ id }) => id === second.id)?.channels[0]?.id ?? "";
    const install = async () => follow(await make("/v1/discord/installations"), "owner", { guild: second.id });

    const ended = await install();
    expect([ended.status, ended.html]).toEqual([200, expect.stringContaining("in the server Second")]);
    const { guilds } = await read("/v1/discord/guilds");
    expect(guilds.map(({ id }) => id)).toEqual([setting.environment.DISCORD_GUILD_ID, second.id]);
    const isRegistered = async () => (await simulator.state()).commands.some(({ guildId }) => guildId === second.id);
    await until(isRegistered);
    expect(await owner.slash("link", {}, { channel })).toMatchObject({ answer: "modal" });

    // A role there too, beside that of the environment, which stays the first server's.
    const roleOf = async (guildId: string) =>
      (await simulator.state()).guilds.find(({ id }) => id === guildId)?.roles.find(({ name }) => name === "Verified")
        ?.id;
    const verifiedRoleId = await roleOf(second.id);
    const configured = await call("PATCH", `/v1/discord/guilds/${second.id}`, { verifiedRoleId });
    expect([configured.status, await configured.json()]).toEqual([200, expect.objectContaining({ verifiedRoleId })]);
    expect((await read("/v1/discord/guilds")).guilds).toMatchObject([
      { verifiedRoleId: await roleOf(setting.environment.DISCORD_GUILD_ID) },
      { verifiedRoleId },
    ]);
    expect((await call("PATCH", "/v1/discord/guilds/1", { verifiedRoleId: null })).status).toBe(404);
    await follow(await make("/v1/discord/member-links", { email: "olga@work.example" }), "owner");
    for (const guild of [undefined, second.id]) {
      await until(async () => (await simulator.rolesOf("owner", guild)).includes("Verified"));
    }
    // Who is a member of one server only gets the role there.
    await follow(await make("/v1/discord/member-links", { email: "mod@work.example" }), "mod");
    await until(async () => (await simulator.rolesOf("mod")).includes("Verified"));

    const question = await owner.slash("unlink", {}, { channel });
    await question.click("Disconnect");
    for (const guild of [undefined, second.id]) {
      await until(async () => !(await simulator.rolesOf("owner", guild)).includes("Verified"));
    }

    expect((await call("DELETE", `/v1/discord/guilds/${second.id}`)).status).toBe(204);
    const again = await call("DELETE", `/v1/discord/guilds/${second.id}`);
    expect([again.status, await again.json()]).toEqual([404, expect.objectContaining({ code: "guild_not_found" })]);
    expect((await read("/v1/discord/guilds")).guilds).toHaveLength(1);
    const refused = await (await owner.slash("link", {}, { channel })).reply();
    expect(refused.content).toContain("guild_not_mapped");

    await install();
    expect(await owner.slash("link", {}, { channel })).toMatchObject({ answer: "modal" });
  });

  it("H11 takes a no for an answer", async () => {
    const refused = await follow(await make("/v1/discord/installations"), "owner", { allowed: false });
    expect([refused.status, refused.html]).toEqual([403, expect.stringContaining("press Authorize")]);
  });

  it("H11 refuses what is no address, and who has no key", async () => {
    const bad = await call("POST", "/v1/discord/member-links", { email: "anna" });
    expect([bad.status, await bad.json()]).toEqual([400, expect.objectContaining({ code: "validation_failed" })]);
    const stranger = await fetch(`${api.url}/v1/discord/installations`, { method: "POST" });
    expect([stranger.status, await stranger.json()]).toEqual([401, expect.objectContaining({ code: "unauthorized" })]);
    expect((await call("DELETE", "/v1/discord/guilds/x")).status).toBe(400);
  });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("what was waited for did not come");
}
