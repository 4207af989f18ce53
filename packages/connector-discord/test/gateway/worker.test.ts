import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { createWorker, numbers, sayNumbers, startSurroundings, startWorker, textsIn } from "./support/running.js";
import { waitUntil } from "./support/wait-until.js";

describe("gateway worker", () => {
  test("N2 forwards the packets that become events, whole, and no others", async () => {
    const around = await startSurroundings();
    const { simulator, ingress } = around;
    await startWorker(around);
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

  test("H9 refused intents reject start() with the switches to turn on", async () => {
    const around = await startSurroundings({ privilegedIntents: [] });
    const { worker } = createWorker(around);
    await expect(worker.start()).rejects.toMatchObject({
      code: "disallowed_intents",
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
