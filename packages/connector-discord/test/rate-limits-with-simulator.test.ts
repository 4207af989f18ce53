import { randomBytes } from "node:crypto";
import { createDiscordSimulator, type DiscordSimulator } from "@hookline/discord-simulator";
import { createDispatcher, type Dispatcher } from "@hookline/dispatcher";
import type { Database } from "@hookline/postgres";
import { openTestPglite } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { discordDestination } from "../src/index.js";
import { COMPONENT_SECRET } from "./support/app.js";

let simulator: DiscordSimulator;
let database: Database;
let dispatcher: Dispatcher;

beforeAll(async () => {
  simulator = createDiscordSimulator();
  const { url } = await simulator.start();
  database = await openTestPglite();
  dispatcher = createDispatcher({
    database,
    encryptionKey: randomBytes(32).toString("base64"),
    events: [],
    addressGuard: { allow: ["127.0.0.0/8"], allowHttp: true },
    // A message that used up an attempt for each rate limit would be lost.
    retrySchedule: { delaysMs: [50], jitterRatio: 0 },
    pollMs: 50,
  });
  dispatcher.use(
    discordDestination({
      componentSecret: COMPONENT_SECRET,
      botToken: simulator.application.botToken,
      restBaseUrl: `${url}/api/v10`,
      templates: { "*": { message: ({ data }) => ({ content: (data as { text: string }).text }) } },
    }),
  );
  await dispatcher.migrate();
  await dispatcher.start();
}, 120_000);

afterAll(async () => {
  await dispatcher?.stop();
  await database?.close();
  await simulator?.close();
});

describe("discordDestination where Discord limits", () => {
  it("N8 delivers more messages than the limit allows at once, without a 429, and loses none", async () => {
    const { guilds } = await simulator.state();
    const channelId = guilds[0]?.channels.find(({ name }) => name === "ops")?.id;
    const target = { channelId };
    await dispatcher.endpoints.create({ tenantId: "acme", destination: "discord", target, events: ["note.*"] });
    const texts = Array.from({ length: 8 }, (_, index) => `note ${index}`);
    for (const text of texts) await dispatcher.publish({ tenantId: "acme", type: "note.made", data: { text } });
    const shown = async () => (await simulator.messages({ channel: "ops" })).map(({ content }) => content).sort();
    await expect.poll(shown, { timeout: 60_000, interval: 100 }).toEqual([...texts].sort());
    // What was sent is recorded a moment later.
    const pending = async () => (await dispatcher.deliveries.list({ tenantId: "acme", status: "pending" })).deliveries;
    await expect.poll(pending, { timeout: 20_000, interval: 50 }).toEqual([]);
    const { deliveries } = await dispatcher.deliveries.list({ tenantId: "acme" });
    expect(deliveries.map(({ status, attempts }) => ({ status, attempts }))).toEqual(
      texts.map(() => ({ status: "delivered", attempts: 1 })),
    );
    expect((await simulator.requests()).filter(({ status }) => status === 429)).toEqual([]);
  }, 90_000);
});
