import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseEnv } from "node:util";
import { createDispatcher } from "@hookline/dispatcher";
import { createEngine } from "@hookline/engine";
import { openDatabase } from "@hookline/postgres";
import { createPgliteDirectory } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type ApiProcess,
  createSetting,
  freePort,
  type Setting,
  spawnApi,
  untilReady,
  untilRegistered,
} from "./running-api.js";

const program = fileURLToPath(new URL("../dist/setup-webhook.js", import.meta.url));
const START_TIMEOUT_MS = 240_000;

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into field by field
type Json = any;

/** Runs the set-up as a person does. */
function setUp(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  return new Promise<{ code: number; output: string }>((resolve) => {
    const env = { PATH: process.env.PATH, ...environment };
    execFile(process.execPath, [program, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, output: stdout + stderr });
    });
  });
}

/** What an installation by another tenant leaves in the database. */
async function giveToAnotherTenant(guildId: string, environment: Setting["environment"]): Promise<void> {
  const database = await openDatabase(environment.DATABASE_URL);
  const encryptionKey = environment.ENCRYPTION_KEY;
  const dispatcher = createDispatcher({ database, encryptionKey });
  const engine = createEngine({ database, encryptionKey, outbox: dispatcher, eventLog: dispatcher.events });
  await dispatcher.migrate();
  await engine.migrate();
  await engine.installations.save({ connectorId: "discord", installationId: guildId, tenantId: "another" });
  await engine.close();
  await dispatcher.stop();
  await database.close();
}

describe("an app connected to a platform", () => {
  let setting: Setting;
  /** Another instance of this app: its webhook API is the platform's. */
  let platform: ApiProcess;
  let bot: ApiProcess;
  let envFile: string;
  let platformKey: string;
  let flags: readonly string[];
  /** A server of another tenant. */
  let elsewhere: string;

  async function webhooks(): Promise<Json[]> {
    const headers = { authorization: `Bearer ${platformKey}` };
    return (await fetch(`${platform.url}/v1/webhooks`, { headers })).json() as Promise<Json[]>;
  }
  const asMod = async (command: string, options = {}) =>
    (await setting.simulator.member("mod").slash(command, options, { channel: "ops" })).reply({ timeoutMs: 20_000 });

  beforeAll(async () => {
    setting = await createSetting();
    const { publicKeyHex } = setting.simulator.application;
    const { guilds } = await setting.simulator.state();
    const ops = guilds[0]?.channels.find(({ name }) => name === "ops")?.id ?? "";
    const port = await freePort();
    const data = join(setting.directory, "platform");
    await createPgliteDirectory(data);
    platformKey = `hk_${randomBytes(24).toString("base64url")}`;
    const common = {
      ...setting.environment,
      DISCORD_PUBLIC_KEY: publicKeyHex,
      ADDRESS_GUARD_ALLOW: "127.0.0.0/8",
      ADDRESS_GUARD_ALLOW_HTTP: "true",
    };
    platform = spawnApi({
      ...common,
      PORT: String(port),
      API_PUBLIC_URL: `http://127.0.0.1:${port}`,
      API_KEY: platformKey,
      DATABASE_URL: `pglite://${data}`,
    });
    await untilReady(platform);

    envFile = join(setting.directory, ".env");
    writeFileSync(envFile, "# kept as it is\nLOG_LEVEL=info\n");
    flags = ["--settings-file", envFile, "--platform-url", platform.url, "--public-url", common.API_PUBLIC_URL];
    const first = await setUp([...flags, "--skip-test"], { XTSYSTEMS_API_KEY: platformKey });
    expect(first).toMatchObject({ code: 0 });

    elsewhere = (await setting.simulator.addGuild({ name: "Elsewhere" })).id;
    await giveToAnotherTenant(elsewhere, setting.environment);
    const channels = JSON.stringify({ "ticket.created": [ops], "machine.registered": [ops] });
    bot = spawnApi({ ...common, DISCORD_WEBHOOK_CHANNELS: channels, ...parseEnv(readFileSync(envFile, "utf8")) });
    await untilReady(bot);
    await untilRegistered(setting.simulator, "test-webhook");
    await setting.simulator.setInteractionsUrl(`${bot.url}/v1/connectors/discord/interactions`);
  }, START_TIMEOUT_MS);

  afterAll(async () => {
    for (const api of [bot, platform]) {
      api?.child.kill("SIGTERM");
      await api?.exited;
    }
    await setting?.close();
  });

  it("X6 checks the connection and the key, registers the webhook, writes the settings, and has a test sent", async () => {
    const { code, output } = await setUp(flags);
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output.split("\n").filter((line) => line.startsWith("✓"))).toEqual([
      `✓ ${platform.url} answers.`,
      "✓ It takes the API key.",
      `✓ The settings are in ${envFile}.`,
      expect.stringMatching(/^✓ The webhook is brought up to date: 8 event types go to .*\/webhooks\/xtsystems\.$/),
      "✓ A test arrived.",
    ]);
    expect(await webhooks()).toMatchObject([{ url: `${bot.url}/webhooks/xtsystems`, active: true }]);
    const text = readFileSync(envFile, "utf8");
    const { XTSYSTEMS_WEBHOOK_SECRET: secret, ...others } = parseEnv(text);
    expect(text).toContain("# kept as it is\nLOG_LEVEL=info\n");
    expect(others).toMatchObject({ XTSYSTEMS_API_URL: platform.url, XTSYSTEMS_API_KEY: platformKey });
    expect(secret?.length).toBeGreaterThanOrEqual(32);
    expect(output).not.toContain(secret);
    expect(output).not.toContain(platformKey);
  });

  it("X6 makes a settings file that only its owner reads", async () => {
    const own = join(setting.directory, "new.env");
    const args = ["--settings-file", own, ...flags.slice(2), "--skip-test"];
    const secret = parseEnv(readFileSync(envFile, "utf8")).XTSYSTEMS_WEBHOOK_SECRET ?? "";
    const environment = { XTSYSTEMS_API_KEY: platformKey, XTSYSTEMS_WEBHOOK_SECRET: secret };
    expect(await setUp(args, environment)).toMatchObject({ code: 0 });
    expect(statSync(own).mode & 0o777).toBe(0o600);
    expect(await webhooks()).toHaveLength(1);
  });

  it("X6 says which step failed, with a code, and goes no further", async () => {
    const untouched = join(setting.directory, "untouched.env");
    const key = { XTSYSTEMS_API_KEY: platformKey };
    const to = (url: string) => ["--settings-file", untouched, "--platform-url", url, "--public-url", bot.url];
    const cases: [readonly string[], Readonly<Record<string, string>>, number, string][] = [
      [to("http://127.0.0.1:1"), key, 1, "unreachable"],
      [to(platform.url), { XTSYSTEMS_API_KEY: "wrong" }, 1, "unauthorized"],
      [to(platform.url), {}, 1, "invalid_setting"],
      [to("ftp://x"), key, 1, "invalid_setting"],
      [[...to(platform.url), "--events", "ticket.burned"], key, 1, "invalid_setting"],
      [to(bot.url), key, 1, "own_platform"],
      [[...to(platform.url), "--colour", "red"], key, 2, "invalid_arguments"],
    ];
    for (const [args, environment, code, reason] of cases) {
      const result = await setUp(args, environment);
      expect(result.code, result.output).toBe(code);
      expect(result.output).toContain(`(${reason})`);
    }
    expect(() => statSync(untouched)).toThrow();
    expect(await webhooks()).toHaveLength(1);
  });

  it("X5 /test-webhook has the platform send a test, and says that it arrived", async () => {
    expect(await asMod("test-webhook")).toMatchObject({ ephemeral: true, content: "The test arrived." });
  });

  it("X5 /webhook-status shows receiver, platform, registration and deliveries", async () => {
    const [embed] = (await asMod("webhook-status")).embeds;
    const shown = Object.fromEntries((embed?.fields ?? []).map(({ name, value }) => [name, value]));
    expect(shown.Receiver).toContain(`open at \`${bot.url}/webhooks/xtsystems\``);
    expect(shown["Last received"]).toMatch(/^\d{4}-.*Z: /);
    expect(shown.Platform).toContain("answers and takes the key");
    expect(shown.Registration).toMatch(/8 event types, active/);
    expect(shown["Last delivery to us"]).toMatch(/^webhook\.test arrived /);
    expect(shown["Deliveries of this app"]).toMatch(/^working; \d+ due, 0 held/);
  });

  it("X5 /webhook-config shows addresses, events and channels, and never a secret", async () => {
    const answer = await asMod("webhook-config");
    const text = JSON.stringify(answer.embeds);
    expect(text).toContain(`${bot.url}/webhooks/xtsystems`);
    expect(text).toContain("machine.approved");
    expect(text).toMatch(/`ticket\.created`: <#\d+>/);
    const { XTSYSTEMS_WEBHOOK_SECRET: secret = "", XTSYSTEMS_API_KEY: key = "" } = parseEnv(
      readFileSync(envFile, "utf8"),
    );
    expect(secret).not.toBe("");
    expect(text).not.toContain(secret);
    expect(text).not.toContain(key);
  });

  it("X5 /register-webhook takes event types, offers them while they are typed, and makes no second webhook", async () => {
    const mod = setting.simulator.member("mod");
    const offered = await mod.autocomplete("register-webhook", { option: "events", text: "ticket.created, mach" });
    expect(offered.map(({ value }) => value)).toEqual([
      "ticket.created, machine.registered",
      "ticket.created, machine.approved",
    ]);
    const events = "ticket.created, machine.registered";
    expect((await asMod("register-webhook", { events })).content).toContain("Already registered");
    expect(await webhooks()).toMatchObject([{ events: ["ticket.created", "machine.registered"] }]);
    expect((await asMod("register-webhook", { events: "ticket.burned" })).content).toContain("There is no event");
    expect((await asMod("register-webhook")).content).toContain("alert.triggered");
    expect((await asMod("register-webhook")).content).toMatch(/^Please wait \d+ seconds/);
    expect(await webhooks()).toHaveLength(1);
  });

  it("X3 X4 shows a platform's tickets and machines without buttons that only act on the own desk", async () => {
    const { simulator } = setting;
    const poster = (api: ApiProcess, key: string) => async (path: string, body: Json) => {
      const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
      const answer = await fetch(api.url + path, { method: "POST", headers, body: JSON.stringify(body) });
      expect(answer.status).toBe(201);
    };
    const [theirs, ours] = [poster(platform, platformKey), poster(bot, setting.environment.API_KEY)];
    const shown = (text: string) =>
      simulator.waitForMessage(({ embeds }) => JSON.stringify(embeds).includes(text), { channel: "ops" });
    const ticket = (title: string) => ({ title, description: "x", created_by: "anna" });
    await theirs("/v1/tickets", ticket("Theirs"));
    await theirs("/v1/machines", { hostname: "THEIRS-1", ip_address: "192.0.2.1" });
    expect((await shown("Theirs")).components ?? []).toEqual([]);
    expect((await shown("THEIRS-1")).components ?? []).toEqual([]);
    await ours("/v1/tickets", ticket("Ours"));
    await ours("/v1/machines", { hostname: "OURS-1", ip_address: "192.0.2.2" });
    expect(JSON.stringify((await shown("Ours")).components)).toContain("Claim");
    expect(JSON.stringify((await shown("OURS-1")).components)).toContain("Approve");
  });

  it("X5 are for members who may manage the server", async () => {
    for (const command of ["webhook-status", "webhook-config", "register-webhook", "test-webhook"]) {
      await expect(setting.simulator.member("anna").slash(command)).rejects.toMatchObject({ code: "not_permitted" });
    }
  });

  it("X5 are not registered in a server of another tenant, and tell it nothing", async () => {
    const { simulator, environment } = setting;
    await expect.poll(() => bot.output(), { timeout: 30_000 }).toContain(`"what":"commands of ${elsewhere}"`);
    const { commands, guilds } = await simulator.state();
    const there = commands.filter(({ guildId }) => guildId === elsewhere).map(({ name }) => name);
    expect(there).toEqual(expect.arrayContaining(["link", "unlink", "ticket"]));
    expect(there.filter((name) => name.includes("webhook"))).toEqual([]);

    // As an earlier version has left one.
    const path = `/applications/${environment.DISCORD_APPLICATION_ID}/guilds/${elsewhere}/commands`;
    const left = await fetch(environment.DISCORD_API_BASE_URL + path, {
      method: "POST",
      headers: { authorization: `Bot ${environment.DISCORD_BOT_TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify({ name: "webhook-config", type: 1, description: "Show how webhooks are configured" }),
    });
    expect(left.ok).toBe(true);
    const owner = simulator.member("owner");
    await owner.join(elsewhere);
    const channel = guilds.find(({ id }) => id === elsewhere)?.channels[0]?.id ?? "";
    const answer = await (await owner.slash("webhook-config", {}, { channel })).reply({ timeoutMs: 20_000 });
    expect(answer).toMatchObject({ ephemeral: true, content: expect.stringContaining("other servers"), embeds: [] });
  });

  it("X5 says why a test did not arrive, and what was refused here", async () => {
    const [{ id }] = await webhooks();
    const headers = { authorization: `Bearer ${platformKey}`, "content-type": "application/json" };
    const body = JSON.stringify({ secret: "another-secret-of-the-platform-entirely" });
    expect((await fetch(`${platform.url}/v1/webhooks/${id}`, { method: "PUT", headers, body })).ok).toBe(true);
    const said = (await asMod("test-webhook")).content.replaceAll("\\", "");
    expect(said).toMatch(
      /^The test did not arrive\. The platform says: .*\. Here: refused \d{4}-.*: signature_mismatch\.$/,
    );
  });

  it("X6 writes the file that `npm start` reads, when npm runs it", () => {
    const apps = fileURLToPath(new URL("..", import.meta.url));
    const { scripts } = JSON.parse(readFileSync(join(apps, "package.json"), "utf8")) as Json;
    const file = / --settings-file (\S+)$/.exec(scripts["setup-webhook"])?.[1] ?? "";
    expect(resolve(apps, file)).toBe(fileURLToPath(new URL("../../../.env", import.meta.url)));
  });

  it("X5 says what is wrong when the platform is away", async () => {
    platform.child.kill("SIGTERM");
    await platform.exited;
    const [embed] = (await asMod("webhook-status")).embeds;
    expect(JSON.stringify(embed)).toContain(`No answer from ${platform.url}`);
    expect((await asMod("test-webhook")).content).toContain("No answer from");
  });
});
