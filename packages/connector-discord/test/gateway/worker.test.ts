import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { GatewayIntentBits } from "discord-api-types/v10";
import { describe, expect, onTestFinished, test } from "vitest";
import { DISCORD_INTENTS } from "../../src/index.js";
import { INGRESS_SECRET as APP_SECRET, startApp } from "../support/app.js";
import { createWorker, numbers, sayNumbers, startSurroundings, startWorker, textsIn } from "./support/running.js";
import { waitUntil } from "./support/wait-until.js";

describe("gateway worker", () => {
  test("N2 forwards the packets that become events, whole, and no others", async () => {
    const around = await startSurroundings();
    const { simulator, ingress } = around;
    await startWorker(around, { intents: DISCORD_INTENTS | (1 << 8) });
    const anna = simulator.member("anna");
    const message = await anna.say("general", "hello");
    await simulator.member("ben").react(message, "👍");
    await simulator.member("ben").unreact(message, "👍");
    await anna.edit(message, "hello again");
    await (await simulator.addMember({ username: "carl", joined: false })).join();
    await anna.setPresence("online");
    await waitUntil("the presence", () => ingress.stored.some((item) => item.type === "PRESENCE_UPDATE"));
    expect(ingress.stored.map((item) => item.type)).toEqual([
      "MESSAGE_CREATE",
      "MESSAGE_REACTION_ADD",
      "MESSAGE_REACTION_REMOVE",
      "MESSAGE_UPDATE",
      "GUILD_MEMBER_ADD",
      // Discord's own welcome message: noise, but the API's to judge.
      "MESSAGE_CREATE",
      "PRESENCE_UPDATE",
    ]);
    const [first] = ingress.stored;
    expect(first).toMatchObject({ shard: 0, d: { id: message.id, content: "hello", author: { username: "anna" } } });
    expect(first?.key).toBe(`${first?.sessionId}:0:${first?.seq}`);
    expect(Math.abs(Date.parse(first?.receivedAt ?? "") - Date.now())).toBeLessThan(60_000);
    expect(ingress.stored.map((item) => item.seq)).toEqual(
      ingress.stored.map((item) => item.seq).toSorted((a, b) => a - b),
    );
  });

  test("N2 H1 threads, voice, moderation and bulk deletions become events where the intents ask for them", async () => {
    const around = await startSurroundings();
    const { simulator } = around;
    const { application } = simulator;
    const app = await startApp({ applicationId: application.id, storeMessageText: true });
    onTestFinished(() => app.close());
    const intents = DISCORD_INTENTS | GatewayIntentBits.GuildVoiceStates | GatewayIntentBits.GuildModeration;
    await startWorker(around, { apiPublicUrl: app.url, ingressSecret: APP_SECRET, intents });
    const { id: lounge } = await simulator.addChannel({ name: "lounge", type: "voice" });
    const anna = simulator.member("anna");
    const said = [await anna.say("general", "one"), await anna.say("general", "two")];
    await anna.startThread("general", "My trouble");
    await anna.joinVoice("lounge", { muted: true });
    await anna.leaveVoice();
    await simulator.member("mod").kick("ben", { reason: "rude" });
    const deleted = await fetch(`${simulator.url}/api/v10/channels/${said[0]?.channel_id}/messages/bulk-delete`, {
      method: "POST",
      headers: { authorization: `Bot ${application.botToken}`, "content-type": "application/json" },
      body: JSON.stringify({ messages: said.map(({ id }) => id) }),
    });
    expect(deleted.status).toBe(204);
    await waitUntil("the deletions", () => app.published.length === 2);
    const { members = [] } = (await simulator.state()).guilds[0] ?? {};
    const nameOf = (id: string | undefined) => members.find((member) => member.id === id)?.username ?? "gone";
    expect(app.ingested.map(({ type, identities }) => [type, nameOf(identities[0]?.value)])).toEqual([
      ["discord.message_sent", "anna"],
      ["discord.message_sent", "anna"],
      ["discord.thread_created", "anna"],
      ["discord.voice_state_changed", "anna"],
      ["discord.voice_state_changed", "anna"],
      ["discord.member_left", "gone"],
      ["discord.audit_log_entry", "mod"],
    ]);
    const [, , thread, entered, left, , entry] = app.ingested.map(({ data }) => data);
    expect(thread).toMatchObject({ name: "My trouble", channelId: said[0]?.channel_id });
    expect(entered).toMatchObject({ channelId: lounge, muted: true });
    expect(left).not.toHaveProperty("channelId");
    expect(entry).toMatchObject({ action: 20, reason: "rude" });
    expect(app.published.map(({ type, data }) => [type, (data as { messageId: string }).messageId])).toEqual(
      said.map(({ id }) => ["discord.message_deleted", id]),
    );
  });

  test("N2 an ingress that is down at the start and for a while loses nothing", async () => {
    const around = await startSurroundings();
    await around.ingress.down();
    const { worker } = await startWorker(around);
    await sayNumbers(around.simulator, [1, 50]);
    await waitUntil("the spool", () => worker.stats().spool.items === 50);
    await waitUntil("trouble", () => worker.stats().ingress.trouble);
    await around.ingress.up();
    await waitUntil("all messages", () => textsIn(around.ingress).length >= 50);
    expect(textsIn(around.ingress)).toEqual(numbers(1, 50));
  });

  test("H9 a refused token rejects start() with what to do, and is written nowhere", async () => {
    const around = await startSurroundings();
    const botToken = "MTIz.wrong.token-that-nobody-may-see";
    const { worker, logger } = createWorker(around, { botToken });
    const error = await worker.start().then(
      () => expect.unreachable(),
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ name: "GatewayWorkerError", code: "invalid_token" });
    expect(String(error)).toContain("discord.com/developers");
    expect(`${String(error)}${logger.text()}`).not.toContain(botToken);
    await expect(worker.finished).rejects.toMatchObject({ code: "invalid_token" });
    expect(worker.stats().state).toBe("failed");
  });

  test("H1 H9 starts without the presence intent, which is opt-in", async () => {
    const around = await startSurroundings({ privilegedIntents: ["members", "messageContent"] });
    const { worker } = await startWorker(around);
    expect(worker.stats().state).toBe("running");
  });

  test("H9 refused intents reject start() with the switches to turn on", async () => {
    const around = await startSurroundings({ privilegedIntents: [] });
    const { worker } = createWorker(around);
    await expect(worker.start()).rejects.toMatchObject({
      code: "disallowed_intents",
      message: expect.stringMatching(/SERVER MEMBERS INTENT, MESSAGE CONTENT INTENT.*4014/),
    });
    const presence = createWorker(
      { ...around, directory: `${around.directory}/presence` },
      { intents: DISCORD_INTENTS | (1 << 8) },
    );
    await expect(presence.worker.start()).rejects.toMatchObject({
      message: expect.stringMatching(/SERVER MEMBERS INTENT, PRESENCE INTENT, MESSAGE CONTENT INTENT.*4014/),
    });
    const fewer = createWorker(
      { ...around, directory: `${around.directory}/fewer` },
      { intents: (1 << 9) | (1 << 15) },
    );
    const error = await fewer.worker.start().catch((reason: unknown) => reason);
    expect(String(error)).toContain("MESSAGE CONTENT INTENT");
    expect(String(error)).not.toContain("PRESENCE INTENT");
  });

  test.each([
    [4004, "invalid_token"],
    [4010, "invalid_shard"],
    [4011, "sharding_required"],
    [4012, "unsupported_api_version"],
    [4013, "invalid_intents"],
    [4014, "disallowed_intents"],
  ])("H9 close %i while running ends the worker with %s", async (closeCode, code) => {
    const around = await startSurroundings();
    const { worker } = await startWorker(around);
    await sayNumbers(around.simulator, [1, 3]);
    await waitUntil("the messages", () => textsIn(around.ingress).length === 3);
    const ended = expect(worker.finished).rejects.toMatchObject({ name: "GatewayWorkerError", code });
    await around.simulator.faults.closeSockets(closeCode);
    await ended;
    expect(worker.stats().state).toBe("failed");
    await worker.stop();
  });

  test("H9 goes on trying while Discord can't be reached, and sends what the spool holds meanwhile", async () => {
    const around = await startSurroundings();
    await around.ingress.down();
    const first = await startWorker(around);
    await sayNumbers(around.simulator, [1, 5]);
    await waitUntil("the spool", () => first.worker.stats().spool.items === 5);
    await first.worker.stop();
    await around.ingress.up();

    await around.simulator.faults.refuseConnections({ forMs: 60_000 });
    const { worker, logger } = createWorker(around);
    const started = worker.start();
    await waitUntil("the spooled messages", () => textsIn(around.ingress).length === 5);
    await waitUntil("a warning", () => logger.lines.some((line) => line.message.includes("trying again")));
    expect(worker.stats().state).toBe("starting");
    await around.simulator.faults.clear();
    await started;
    await sayNumbers(around.simulator, [6, 7]);
    await waitUntil("all messages", () => textsIn(around.ingress).length >= 7);
    expect(textsIn(around.ingress)).toEqual(numbers(1, 7));
  });

  test("H9 stop() may come at any time and more than once", async () => {
    const around = await startSurroundings();
    const never = createWorker(around);
    await never.worker.stop();
    await never.worker.finished;
    await expect(never.worker.start()).rejects.toMatchObject({ code: "already_started" });

    await around.simulator.faults.refuseConnections({ forMs: 60_000 });
    const early = createWorker(around);
    const started = expect(early.worker.start()).rejects.toMatchObject({ code: "stopped" });
    await waitUntil("a try", () => early.logger.lines.some((line) => line.message.includes("trying again")));
    await Promise.all([early.worker.stop(), early.worker.stop()]);
    await started;
    await early.worker.finished;

    await around.simulator.faults.clear();
    const immediate = createWorker(around);
    const refused = expect(immediate.worker.start()).rejects.toMatchObject({ code: "stopped" });
    await immediate.worker.stop();
    await refused;

    const running = await startWorker(around);
    await expect(running.worker.start()).rejects.toMatchObject({ code: "already_started" });
    await Promise.all([running.worker.stop(), running.worker.stop()]);
    await running.worker.finished;
    await running.worker.stop();
    await waitUntil("no connection", async () => (await around.simulator.state()).gateway.connections === 0);
  });

  test("H9 a second worker on the same spool is refused", async () => {
    const around = await startSurroundings();
    await startWorker(around);
    const second = createWorker(around);
    await expect(second.worker.start()).rejects.toMatchObject({ code: "spool_locked" });
  });

  test("H9 /healthz says how the worker is", async () => {
    const around = await startSurroundings({ heartbeatIntervalMs: 200 });
    const { worker } = await startWorker(around, { health: { port: 0 } });
    const url = `http://127.0.0.1:${worker.healthPort()}/healthz`;
    await waitUntil("a heartbeat", () => worker.stats().gateway.shards[0]?.lastHeartbeatAckAt);
    const response = await fetch(url);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      status: "ok",
      state: "running",
      gateway: { shards: [{ id: 0, live: true, lastHeartbeatAckAt: expect.any(String) }], identifies: 1 },
      spool: { items: 0, oldestAgeMs: null, full: false },
      ingress: { lanes: { total: 0, sending: 0, waiting: 0 }, trouble: null },
    });
    expect((await fetch(url.replace("healthz", "else"))).status).toBe(404);
    await worker.stop();
    await expect(fetch(url)).rejects.toThrow();
  });

  test("H9 /metrics says the same to Prometheus, by shard", async () => {
    const around = await startSurroundings({ heartbeatIntervalMs: 200, shards: 2, maxConcurrency: 2 });
    await around.ingress.down();
    const { worker } = await startWorker(around, { health: { port: 0 } });
    await waitUntil("heartbeats", () => worker.stats().gateway.shards.every((shard) => shard.lastHeartbeatAckAt));
    await sayNumbers(around.simulator, [1, 3]);
    await waitUntil("the spool", () => worker.stats().spool.items === 3);
    const response = await fetch(`http://127.0.0.1:${worker.healthPort()}/metrics`);
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const lines = (await response.text()).split("\n");
    const sampled = (sample: string) => Number(lines.find((line) => line.startsWith(`${sample} `))?.split(" ")[1]);
    expect(sampled("hookline_gateway_spool_packets")).toBe(3);
    expect(sampled("hookline_gateway_identifies_left")).toBe(998);
    for (const shard of [0, 1]) {
      expect(sampled(`hookline_gateway_shard_live{shard="${shard}"}`)).toBe(1);
      const heartbeatAt = sampled(`hookline_gateway_shard_last_heartbeat_timestamp_seconds{shard="${shard}"}`);
      expect(Math.abs(heartbeatAt - Date.now() / 1000)).toBeLessThan(60);
    }
    expect(lines).toContain("# TYPE hookline_gateway_spool_oldest_age_seconds gauge");
    expect(
      lines.filter((line) => !/^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z]+="[^"]*"\})? [\d.]+|)$/.test(line)),
    ).toEqual([]);
  });

  test("H9 /healthz answers 503 before the worker is connected", async () => {
    const around = await startSurroundings();
    await around.simulator.faults.refuseConnections({ forMs: 60_000 });
    const { worker } = createWorker(around, { health: { port: 0 } });
    const started = expect(worker.start()).rejects.toMatchObject({ code: "stopped" });
    const port = await waitUntil("the port", () => worker.healthPort());
    const response = await fetch(`http://127.0.0.1:${port}/healthz`);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ status: "unhealthy", state: "starting" });
    await worker.stop();
    await started;
  });

  test("H9 a health port in use rejects start() with the port", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const around = await startSurroundings();
    const { worker } = createWorker(around, { health: { port } });
    await expect(worker.start()).rejects.toMatchObject({
      code: "health_port_in_use",
      message: expect.stringContaining(String(port)),
    });
    await startWorker(around);
  });

  test("writes neither token nor secret into the log", async () => {
    const around = await startSurroundings();
    const { worker, logger } = await startWorker(around);
    await sayNumbers(around.simulator, [1, 2]);
    await around.simulator.faults.dropSockets();
    await waitUntil("a RESUME", () => worker.stats().gateway.resumes === 1);
    await worker.stop();
    expect(logger.lines.some((line) => line.level === "debug")).toBe(true);
    expect(logger.text()).not.toContain(around.simulator.application.botToken);
    expect(logger.text()).not.toContain("an-ingress-secret");
  });
});
