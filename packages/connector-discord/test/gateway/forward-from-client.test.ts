import { Client, Events, GatewayIntentBits } from "discord.js";
import { describe, expect, onTestFinished, test } from "vitest";
import { forwardFromClient } from "../../src/gateway/index.js";
import { INGRESS_SECRET } from "./support/ingress-server.js";
import { createRecordingLogger } from "./support/recording-logger.js";
import { gapsIn, numbers, type Surroundings, sayNumbers, startSurroundings, textsIn } from "./support/running.js";
import { waitUntil } from "./support/wait-until.js";

const { Guilds, GuildMembers, GuildMessages, MessageContent } = GatewayIntentBits;

function createClient({ simulator }: Surroundings): Client {
  const client = new Client({
    intents: [Guilds, GuildMembers, GuildMessages, MessageContent],
    rest: { api: `${simulator.url}/api` },
  });
  onTestFinished(() => client.destroy());
  return client;
}

async function login({ simulator }: Surroundings, client: Client): Promise<void> {
  const ready = new Promise((resolve) => client.once(Events.ClientReady, resolve));
  await client.login(simulator.application.botToken);
  await ready;
}

async function forward(around: Surroundings, client: Client, spoolLimit: { maxItems?: number } = {}) {
  const logger = createRecordingLogger();
  const forwarding = await forwardFromClient(client, {
    apiPublicUrl: around.ingress.url,
    ingressSecret: INGRESS_SECRET,
    spoolDirectory: around.directory,
    spoolLimit,
    retryBackoff: { minMs: 10, maxMs: 100 },
    logger,
  });
  onTestFinished(() => forwarding.stop());
  return { forwarding, logger };
}

describe("an unmodified discord.js Client", () => {
  test("N2 is forwarded from in order, over an outage of the API and a lost socket, and goes on as it was", async () => {
    const around = await startSurroundings();
    const client = createClient(around);
    const heard: string[] = [];
    client.on(Events.MessageCreate, ({ content }) => void heard.push(content));
    const { forwarding } = await forward(around, client);
    await login(around, client);
    await sayNumbers(around.simulator, [1, 10]);
    await waitUntil("the first messages", () => textsIn(around.ingress).length === 10);
    await around.ingress.down();
    await sayNumbers(around.simulator, [11, 20]);
    await waitUntil("the spool", () => forwarding.stats().spool.items === 10);
    await around.simulator.faults.dropSockets();
    await sayNumbers(around.simulator, [21, 30]);
    await around.ingress.up();
    await waitUntil("all messages", () => textsIn(around.ingress).length >= 30);
    expect(textsIn(around.ingress)).toEqual(numbers(1, 30));
    expect(heard).toEqual(numbers(1, 30));
    expect(around.ingress.stored[0]?.key).toMatch(/^[0-9a-f]{32}:0:\d+$/);
    expect(gapsIn(around.ingress)).toEqual([]);

    await forwarding.stop();
    await forwarding.finished;
    await around.simulator.member("anna").say("general", "unheard by us");
    await waitUntil("the client", () => heard.includes("unheard by us"));
    expect(textsIn(around.ingress)).toHaveLength(30);
  });

  test("N2 can be connected already; a new start is a gap, and what waited in the spool is sent", async () => {
    const around = await startSurroundings();
    const first = createClient(around);
    await login(around, first);
    const one = await forward(around, first);
    await sayNumbers(around.simulator, [1, 3]);
    await waitUntil("the messages", () => textsIn(around.ingress).length === 3);
    await around.ingress.down();
    await sayNumbers(around.simulator, [4, 5]);
    await waitUntil("the spool", () => one.forwarding.stats().spool.items === 2);
    const stopping = one.forwarding.stop();
    await first.destroy();
    await stopping;
    await around.ingress.up();

    const second = createClient(around);
    const two = await forward(around, second);
    await login(around, second);
    await sayNumbers(around.simulator, [6, 7]);
    await waitUntil("all messages", () => textsIn(around.ingress).length >= 7);
    expect(textsIn(around.ingress)).toEqual(numbers(1, 7));
    await waitUntil("the gap", () => gapsIn(around.ingress).length === 1);
    expect(gapsIn(around.ingress)[0]).toMatchObject({ reason: "session_replaced" });
    expect(two.forwarding.stats()).toMatchObject({ gaps: 1, receivedPackets: 2 });
  });

  test("N2 says which time is missing when the spool was full, since a client can't be held back", async () => {
    const around = await startSurroundings();
    await around.ingress.down();
    const client = createClient(around);
    const { forwarding, logger } = await forward(around, client, { maxItems: 10 });
    await login(around, client);
    await sayNumbers(around.simulator, [1, 15]);
    await waitUntil("the packets", () => forwarding.stats().receivedPackets === 15);
    expect(logger.text()).toContain("The spool is full");
    await around.ingress.up();
    await waitUntil("room", () => forwarding.stats().spool.items === 0);
    await sayNumbers(around.simulator, [16, 17]);
    await waitUntil("later messages", () => textsIn(around.ingress).length === 12);
    expect(textsIn(around.ingress)).toEqual([...numbers(1, 10), ...numbers(16, 17)]);
    await waitUntil("the gap", () => gapsIn(around.ingress).length === 1);
    expect(gapsIn(around.ingress)[0]).toMatchObject({ reason: "spool_full", guildIds: [expect.any(String)] });
  });

  test("refuses wrong options and a spool that is in use", async () => {
    const around = await startSurroundings();
    const client = createClient(around);
    await forward(around, client);
    await expect(forward(around, createClient(around))).rejects.toMatchObject({ code: "spool_locked" });
    const wrong = forwardFromClient(client, { apiPublicUrl: "nowhere", ingressSecret: INGRESS_SECRET });
    await expect(wrong).rejects.toMatchObject({ code: "invalid_option" });
  });
});
