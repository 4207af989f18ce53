import { randomBytes } from "node:crypto";
import { createDispatcher, type Dispatcher } from "@hookline/dispatcher";
import type { Database } from "@hookline/postgres";
import { openTestPglite } from "@hookline/postgres/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { discordDestination } from "../src/index.js";
import { BOT_TOKEN, COMPONENT_SECRET } from "./support/app.js";
import type { Json } from "./support/json.js";
import { type RecordingDiscord, startRecordingDiscord } from "./support/recording-discord.js";

let database: Database;
let dispatcher: Dispatcher;
let discord: RecordingDiscord;
let answer: RecordingDiscord["answer"];

beforeAll(async () => {
  discord = await startRecordingDiscord();
  ({ answer } = discord);
  database = await openTestPglite();
  dispatcher = createDispatcher({
    database,
    encryptionKey: randomBytes(32).toString("base64"),
    events: [],
    addressGuard: { allow: ["127.0.0.0/8"], allowHttp: true },
    retrySchedule: { delaysMs: Array.from({ length: 100 }, () => 50), jitterRatio: 0 },
    pollMs: 50,
  });
  dispatcher.use(
    discordDestination({
      componentSecret: COMPONENT_SECRET,
      botToken: BOT_TOKEN,
      restBaseUrl: discord.restBaseUrl,
      templates: {
        "machine.registered": { entity: ({ data }) => data.id, message: () => ({ content: "pending" }) },
        "machine.approved": { entity: ({ data }) => data.id, message: () => ({ content: "approved" }) },
        "*": { message: ({ data }: { data: Json }) => ({ content: data.text }) },
      },
    }),
  );
  await dispatcher.migrate();
  await dispatcher.start();
});

afterAll(async () => {
  await dispatcher.stop();
  await database.close();
  await discord.close();
});

beforeEach(() => {
  discord.answer = answer;
  discord.calls.length = 0;
  discord.next.length = 0;
});

let endpointId = "";
afterEach(async () => {
  await dispatcher.endpoints.delete({ tenantId: "acme", id: endpointId });
});

async function subscribe(events: readonly string[]): Promise<void> {
  const target = { channelId: "300000000000000001" };
  ({ id: endpointId } = await dispatcher.endpoints.create({
    tenantId: "acme",
    destination: "discord",
    target,
    events,
  }));
}

const publish = (type: string, text: string) => dispatcher.publish({ tenantId: "acme", type, data: { id: "1", text } });
const contents = () => discord.calls.map((call) => call.body.content);
const endpoint = () => dispatcher.endpoints.get({ tenantId: "acme", id: endpointId });
const patience = { timeout: 20_000, interval: 20 };

describe("discordDestination with the real dispatcher", { timeout: 45_000 }, () => {
  it.each([
    [401, { message: "401: Unauthorized" }],
    [403, { code: 50001, message: "Missing Access" }],
  ])("H12 asks Discord no second time after %i, says why, and loses nothing", async (status, body) => {
    await subscribe(["note.*"]);
    discord.answer = () => ({ status, body });
    await publish("note.made", "one");
    await expect.poll(async () => (await endpoint())?.active, patience).toBe(false);
    expect((await endpoint())?.disabledReason).toMatch(/^Discord answered 40[13]: .* enable the endpoint again\.$/);
    for (const text of ["two", "three"]) await publish("note.made", text);
    const held = () => dispatcher.deliveries.list({ tenantId: "acme", endpointId, status: "held" });
    await expect.poll(async () => (await held()).deliveries.length, patience).toBe(3);
    expect(contents()).toEqual(["one"]);

    discord.answer = answer;
    discord.calls.length = 0;
    await dispatcher.endpoints.enable({ tenantId: "acme", id: endpointId });
    await expect.poll(() => contents().sort(), patience).toEqual(["one", "three", "two"]);
  });

  it("E5 a decision stays though the announcement of before is only now delivered", async () => {
    await subscribe(["machine.*"]);
    discord.answer = (call) =>
      call.body.content === "pending" && contents().includes("approved") === false ? { status: 503 } : answer(call);
    const registered = await publish("machine.registered", "");
    await expect.poll(() => contents(), patience).toContain("pending");
    await publish("machine.approved", "");
    const outcomes = async () => {
      const { deliveries } = await dispatcher.deliveries.list({ tenantId: "acme", eventId: registered.id });
      return deliveries.map((delivery) => delivery.status);
    };
    await expect.poll(outcomes, patience).toEqual(["delivered"]);
    const shown = contents();
    expect(shown.at(-1)).toBe("approved");
    expect(shown.filter((content) => content === "approved")).toHaveLength(1);
  });
});
