import { describe, expect, it } from "vitest";
import { identifyPayload, openRawClient, type RawClient } from "./gateway-client.js";
import { simulatorFactory, until } from "./started-simulator.js";
import { createTestClock } from "./test-clock.js";

type Simulator = Awaited<ReturnType<ReturnType<typeof simulatorFactory>>>;

const HELLO = 10;

describe("the Gateway's protocol", () => {
  const start = simulatorFactory();

  const refusals: [string, number, (client: RawClient, simulator: Simulator) => void][] = [
    [
      "an unknown opcode",
      4001,
      (client, simulator) => {
        client.send(2, identifyPayload(simulator));
        client.send(99, {});
      },
    ],
    ["what is not JSON", 4002, (client) => client.socket.send("not json")],
    ["anything before IDENTIFY", 4003, (client) => client.send(3, {})],
    ["a wrong token", 4004, (client, simulator) => client.send(2, identifyPayload(simulator, { token: "wrong" }))],
    [
      "a second IDENTIFY",
      4005,
      (client, simulator) => {
        client.send(2, identifyPayload(simulator));
        client.send(2, identifyPayload(simulator));
      },
    ],
    [
      "too many payloads in a minute",
      4008,
      (client) => {
        for (let sent = 0; sent < 121; sent += 1) {
          client.send(1, null);
        }
      },
    ],
    ["an impossible shard", 4010, (client, simulator) => client.send(2, identifyPayload(simulator, { shard: [2, 2] }))],
    [
      "intents that do not exist",
      4013,
      (client, simulator) => client.send(2, identifyPayload(simulator, { intents: 1 << 30 })),
    ],
  ];
  it.each(refusals)("N6 closes on %s with %i", async (_, code, act) => {
    const simulator = await start();
    const client = await openRawClient(simulator);
    await client.next(({ op }) => op === HELLO);
    act(client, simulator);
    expect((await client.closed).code).toBe(code);
  });

  it("N6 closes on another API version with 4012", async () => {
    const client = await openRawClient(await start(), "v=5&encoding=json");
    expect((await client.closed).code).toBe(4012);
  });

  it("N6 acknowledges heartbeats and closes a connection that sends none", async () => {
    const clock = createTestClock();
    const simulator = await start({ clock, heartbeatIntervalMs: 1_000 });
    const client = await openRawClient(simulator);
    expect((await client.next(({ op }) => op === HELLO)).d).toMatchObject({ heartbeat_interval: 1_000 });
    clock.advance(1_900);
    client.send(1, null);
    await client.next(({ op }) => op === 11);
    clock.advance(1_900);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
    clock.advance(200);
    expect((await client.closed).code).toBe(4009);
  });

  it("N6 resumes a session until it is too old", async () => {
    const clock = createTestClock();
    const simulator = await start({ clock, sessionKeepMs: 60_000, heartbeatIntervalMs: 3_600_000 });
    const first = await openRawClient(simulator);
    first.send(2, identifyPayload(simulator));
    const ready = await first.next(({ t }) => t === "READY");
    expect(ready.d.resume_gateway_url).toBe(simulator.url.replace("http", "ws"));
    const resume = { token: simulator.application.botToken, session_id: ready.d.session_id, seq: 1 };
    first.socket.close(4200);
    await first.closed;

    const second = await openRawClient(simulator);
    second.send(6, resume);
    expect(await second.next(({ op }) => op === 0)).toMatchObject({ t: "GUILD_CREATE", s: 2 });
    await second.next(({ t }) => t === "RESUMED");
    second.socket.terminate();
    await second.closed;
    await waitForConnections(simulator, 0);

    clock.advance(60_001);
    const third = await openRawClient(simulator);
    third.send(6, resume);
    expect(await third.next(({ op }) => op === 9)).toMatchObject({ d: false });
  });

  it("N6 forgets a session that the client ended with 1000, and refuses a seq from the future with 4007", async () => {
    const simulator = await start();
    const first = await openRawClient(simulator);
    first.send(2, identifyPayload(simulator));
    const ready = await first.next(({ t }) => t === "READY");
    const resume = { token: simulator.application.botToken, session_id: ready.d.session_id, seq: 999 };
    first.socket.terminate();
    await waitForConnections(simulator, 0);
    const second = await openRawClient(simulator);
    second.send(6, resume);
    expect((await second.closed).code).toBe(4007);

    const third = await openRawClient(simulator);
    third.send(2, identifyPayload(simulator));
    const again = await third.next(({ t }) => t === "READY");
    third.socket.close(1000);
    await third.closed;
    await waitForConnections(simulator, 0);
    const fourth = await openRawClient(simulator);
    fourth.send(6, { ...resume, session_id: again.d.session_id, seq: 1 });
    expect(await fourth.next(({ op }) => op === 9)).toMatchObject({ d: false });
  });

  it("N6 counts session starts down, refuses when none is left, and renews them after a day", async () => {
    const clock = createTestClock();
    const simulator = await start({ clock, sessionStartLimit: 1, heartbeatIntervalMs: 200_000_000 });
    const first = await openRawClient(simulator);
    first.send(2, identifyPayload(simulator));
    await first.next(({ t }) => t === "READY");
    const limit = async () => {
      const response = await fetch(`${simulator.url}/api/v10/gateway/bot`, {
        headers: { authorization: `Bot ${simulator.application.botToken}` },
      });
      return ((await response.json()) as { session_start_limit: object }).session_start_limit;
    };
    expect(await limit()).toEqual({ total: 1, remaining: 0, reset_after: 86_400_000, max_concurrency: 1 });
    const second = await openRawClient(simulator);
    second.send(2, identifyPayload(simulator));
    expect((await second.closed).code).toBe(4004);
    clock.advance(86_400_000);
    expect(await limit()).toMatchObject({ remaining: 1 });
  });
});

function waitForConnections(simulator: Simulator, count: number): Promise<void> {
  return until(async () => (await simulator.state()).gateway.connections === count);
}
