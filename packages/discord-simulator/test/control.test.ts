import { spawn } from "node:child_process";
import { once } from "node:events";
import { REST } from "@discordjs/rest";
import { Routes } from "discord-api-types/v10";
import { describe, expect, it, onTestFinished } from "vitest";
import { connectSimulator, createDiscordSimulator, isDiscordSimulatorError } from "../src/index.js";
import { createShardClient } from "./gateway-client.js";
import { startInteractionsApp } from "./interactions-app.js";
import { simulatorFactory, until } from "./started-simulator.js";

describe("the control API", () => {
  const start = simulatorFactory();

  it("N6 drives a simulator in another process with the same face", async () => {
    const simulator = await start();
    const app = await startInteractionsApp({
      simulator,
      answer: () => ({ type: 4, data: { content: "pong", flags: 64 } }),
    });
    const remote = await connectSimulator(`${simulator.url}/`);
    expect(remote.application).toEqual(simulator.application);
    expect(Object.keys(remote).sort()).toEqual(Object.keys(simulator).filter(isShared).sort());
    await remote.setInteractionsUrl(app.url);
    await fetch(`${remote.url}/api/v10/applications/${remote.application.id}/commands`, {
      method: "POST",
      headers: { authorization: `Bot ${remote.application.botToken}`, "content-type": "application/json" },
      body: JSON.stringify({ name: "ping", description: "Ping" }),
    });
    await remote.addMember({ username: "dora", displayName: "Dora", roles: ["Moderator"] });
    const ping = await remote.member("dora").slash("ping");
    expect(await ping.reply()).toMatchObject({ content: "pong", ephemeral: true });
    const said = await remote.member("dora").say("#support", "Hello");
    await remote.member("anna").react(said, "👍");
    expect(await remote.waitForMessage(({ reactions }) => reactions?.length === 1)).toMatchObject({ id: said.id });
    expect(await remote.rolesOf("dora")).toEqual(["Moderator"]);
    await remote.member("dora").leave();
    expect((await remote.state()).guilds[0]?.members.map(({ username }) => username)).not.toContain("dora");
    await app.close();
  });

  it("N6 lets time pass when it is told to: what has a term ends, what is connected stays", async () => {
    const simulator = await start({ tokenLifetimeMs: 900_000, heartbeatIntervalMs: 40_000 });
    const app = await startInteractionsApp({ simulator, answer: () => ({ type: 5, data: { flags: 64 } }) });
    onTestFinished(() => app.close());
    const remote = await connectSimulator(simulator.url);
    await remote.setInteractionsUrl(app.url);
    const rest = new REST({ api: `${remote.url}/api`, retries: 0 }).setToken(remote.application.botToken);
    const { id } = remote.application;
    await rest.post(Routes.applicationCommands(id), { body: { name: "ping", description: "Ping" } });
    const { manager } = createShardClient(simulator);
    onTestFinished(() => manager.destroy({ code: 1000 }));
    await manager.connect();

    const ping = await remote.member("anna").slash("ping");
    const original = Routes.webhookMessage(id, String(app.received[0]?.token));
    const answer = (content: string) => rest.patch(original, { body: { content }, auth: false });
    const minutes = (count: number) => remote.advanceClock({ byMs: count * 60_000 });
    const before = Date.parse((await remote.state()).now);
    const { now } = await minutes(14);
    expect(Date.parse(now) - before).toBeGreaterThanOrEqual(14 * 60_000);
    await answer("in time");
    expect(await ping.reply()).toMatchObject({ content: "in time" });
    await minutes(1);
    await expect(answer("late")).rejects.toMatchObject({ code: 50027 });

    const said = await remote.member("anna").say("general", "later");
    expect(Date.parse(said.timestamp)).toBeGreaterThanOrEqual(before + 15 * 60_000);
    // The application's clock did not travel, so the signature has to be of its time.
    const again = await remote.member("anna").slash("ping");
    expect(again.status).toBe("answered");
    expect(Math.abs(app.signedAtMs() - Date.now())).toBeLessThan(60_000);

    await minutes(60);
    expect((await remote.state()).gateway).toMatchObject({ connections: 1, sessions: 1, identifiesLeft: 999 });
    await manager.destroy({ code: 4200 });
    await until(async () => (await remote.state()).gateway.connections === 0);
    expect((await remote.state()).gateway.sessions).toBe(1);
    await minutes(24 * 60);
    expect((await remote.state()).gateway).toMatchObject({ sessions: 0, identifiesLeft: 1000 });
    await expect(remote.advanceClock({ byMs: -1 })).rejects.toMatchObject({ code: "invalid_input" });
  });

  it("N6 throws the simulator's own codes over HTTP too", async () => {
    const simulator = await start();
    const remote = await connectSimulator(simulator.url);
    const codeOf = (action: Promise<unknown>) =>
      action.then(
        () => "none",
        (error: unknown) => (isDiscordSimulatorError(error) ? error.code : String(error)),
      );
    for (const control of [simulator, remote]) {
      const anna = control.member("anna");
      expect(await codeOf(anna.say("#nowhere", "x"))).toBe("unknown_channel");
      expect(await codeOf(anna.say("#general", ""))).toBe("invalid_input");
      expect(await codeOf(control.member("nobody").say("#general", "x"))).toBe("unknown_member");
      expect(await codeOf(anna.slash("nothing"))).toBe("unknown_command");
      expect(await codeOf(anna.react("1", "👍"))).toBe("unknown_message");
      expect(await codeOf(control.waitForMessage(() => false, { timeoutMs: 60 }))).toBe("timed_out");
      expect(await codeOf(control.setInteractionsUrl("http://127.0.0.1:1/x"))).toBe("interactions_url_refused");
      const message = await anna.say("#general", "mine");
      expect(await codeOf(control.member("ben").remove(message))).toBe("not_permitted");
      expect(await codeOf(anna.react(message, "nonsense"))).toBe("unknown_emoji");
    }
    await simulator.close();
    expect(await codeOf(remote.state())).toBe("request_failed");
  });

  it("N6 answers plain JSON requests, and other sites not at all", async () => {
    const { url } = await start();
    const state = (await (await fetch(`${url}/simulator/state`)).json()) as { guilds: { name: string }[] };
    expect(state.guilds.map(({ name }) => name)).toEqual(["Hookline Community"]);
    const say = (headers: Record<string, string>) =>
      fetch(`${url}/simulator/say`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify({ member: "anna", channel: "general", text: "by curl" }),
      });
    expect(await (await say({})).json()).toMatchObject({ content: "by curl", channel_name: "general" });
    expect((await say({ origin: "https://elsewhere.example" })).status).toBe(403);
    const unknown = await fetch(`${url}/simulator/fly`, { method: "POST", body: "{}" });
    expect([unknown.status, await unknown.json()]).toMatchObject([404, { code: "unknown_action" }]);
  });

  it("N6 serves the page with its files, and tells it of changes", async () => {
    const simulator = await start();
    const page = await fetch(`${simulator.url}/`);
    const html = await page.text();
    expect(page.headers.get("content-security-policy")).toContain("default-src 'self'");
    for (const [, file] of html.matchAll(/(?:href|src)="(\/page\/[^"]+)"/g)) {
      expect((await fetch(`${simulator.url}${file}`)).status).toBe(200);
    }
    expect((await fetch(`${simulator.url}/page/missing.js`)).status).toBe(404);

    const changes = await fetch(`${simulator.url}/simulator/changes`);
    const reader = changes.body?.getReader();
    const nextText = async () => new TextDecoder().decode((await reader?.read())?.value as Uint8Array);
    expect(await nextText()).toContain("event: changed");
    await simulator.member("anna").say("general", "news");
    expect(await nextText()).toContain("event: changed");
    await reader?.cancel();
  });

  it("N6 gives the same world, keys and token to the same seed", async () => {
    const [first, second, other] = await Promise.all([start(), start(), start({ seed: "other" })]);
    expect(second.application).toEqual(first.application);
    expect((await second.state()).guilds[0]?.channels).toEqual((await first.state()).guilds[0]?.channels);
    expect(other.application.publicKeyHex).not.toBe(first.application.publicKeyHex);
    expect(other.application.botToken).not.toBe(first.application.botToken);
  });

  it("N6 says clearly that a port is in use, or that it has not started", async () => {
    const { url } = await start();
    const second = createDiscordSimulator({ port: Number(new URL(url).port) });
    await expect(second.start()).rejects.toMatchObject({ code: "port_in_use" });
    expect(() => second.url).toThrow(expect.objectContaining({ code: "not_started" }));
    expect(() => createDiscordSimulator({ port: 70_000 })).toThrow(expect.objectContaining({ code: "invalid_input" }));
  });

  it("N6 runs as a program: prints its addresses, exits 1 on a used port, and stops on SIGTERM", async () => {
    const first = runBin(["--port", "0"]);
    const said = await first.until(/role ids/);
    const url = /page\s+(http:\S+)\//.exec(said)?.[1] ?? "";
    expect((await connectSimulator(url)).application.botToken).toMatch(/\./);
    const second = runBin(["--port", new URL(url).port]);
    expect(await second.exit).toBe(1);
    expect(second.output()).toMatch(/in use.*port_in_use/);
    first.child.kill("SIGTERM");
    expect(await first.exit).toBe(0);
  });

  it("N6 prints the ids that an application is configured with", async () => {
    const program = runBin(["--port", "0"]);
    const said = await program.until(/role ids/);
    const { guilds } = await connectSimulator(/page\s+(http:\S+)\//.exec(said)?.[1] ?? "").then((it) => it.state());
    expect(said).toContain(`server id        ${guilds[0]?.id}\n`);
    expect(said).toContain(`support ${guilds[0]?.channels.find(({ name }) => name === "support")?.id}`);
    expect(said).toContain(`Verified ${guilds[0]?.roles.find(({ name }) => name === "Verified")?.id}`);
    program.child.kill("SIGTERM");
    expect(await program.exit).toBe(0);
  });

  it("N6 recommends as many shards as it is told to", async () => {
    const program = runBin(["--port", "0", "--shards", "4"]);
    const said = await program.until(/role ids/);
    const url = /page\s+(http:\S+)\//.exec(said)?.[1] ?? "";
    const { application } = await connectSimulator(url);
    const rest = new REST({ api: `${url}/api`, retries: 0 }).setToken(application.botToken);
    expect(await rest.get(Routes.gatewayBot())).toMatchObject({ shards: 4 });
    program.child.kill("SIGTERM");
    expect(await program.exit).toBe(0);
    const none = runBin(["--port", "0", "--shards", "some"]);
    expect(await none.exit).toBe(1);
    expect(none.output()).toContain("shards must be a whole number from 1. (invalid_input)");
  });

  it("N6 answers an option that it does not know with its usage and exit code 2", async () => {
    const program = runBin(["--prot", "0"]);
    expect(await program.exit).toBe(2);
    expect(program.output()).toMatch(/--prot[\s\S]*Usage: hookline-discord-simulator/);
    expect(program.output()).not.toContain("node:internal");
  });
});

function isShared(key: string): boolean {
  return key !== "start" && key !== "close";
}

function runBin(args: readonly string[]) {
  const child = spawn(process.execPath, [new URL("../bin.js", import.meta.url).pathname, ...args]);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += String(chunk);
    });
  }
  return {
    child,
    output: () => output,
    exit: once(child, "close").then(([code]) => code as number | null),
    async until(pattern: RegExp) {
      while (!pattern.test(output)) {
        await once(child.stdout, "data");
      }
      return output;
    },
  };
}
