import { randomBytes } from "node:crypto";
import { createDispatcher, type Dispatcher } from "@hookline/dispatcher";
import { createEngine, type Engine } from "@hookline/engine";
import type { Database } from "@hookline/postgres";
import { openTestPglite } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { APPLICATION_ID, GUILD_ID, startApp } from "./support/app.js";

let database: Database;
let dispatcher: Dispatcher;
let engine: Engine;

beforeAll(async () => {
  database = await openTestPglite();
  const encryptionKey = randomBytes(32).toString("base64");
  dispatcher = createDispatcher({ database, encryptionKey, events: [] });
  engine = createEngine({
    database,
    encryptionKey,
    outbox: dispatcher,
    eventLog: dispatcher.events,
    connectors: [
      { id: "discord", identityKinds: ["discord"], mergedProperties: ["discord"], routes: [], destinations: [] },
    ],
  });
  await dispatcher.migrate();
  await engine.migrate();
});

afterAll(async () => {
  await engine.close();
  await dispatcher.stop();
  await database.close();
});

let seq = 0;
const packet = (type: string, d: object) => {
  seq += 1;
  return { key: `session:0:${seq}`, sessionId: "session", shard: 0, seq, type, receivedAt: RECEIVED_AT, d };
};
const RECEIVED_AT = "2026-01-15T10:30:01.000Z";
const USER = { id: "400000000000000001", username: "anna", global_name: "Anna", avatar: null };

const joins = (...times: readonly string[]) =>
  times.map((joined_at) => packet("GUILD_MEMBER_ADD", { guild_id: GUILD_ID, user: USER, roles: [], joined_at }));

const statuses = (answer: { body: { results: { status: string }[] } }) => answer.body.results.map((one) => one.status);

describe("the ingress over the real engine and dispatcher", () => {
  it("H1 stores a join once though its packet comes twice 400 ms apart, and rejects neither", async () => {
    const app = await startApp({}, { ingest: engine.ingest });
    try {
      const answer = await app.ingress(
        joins("2026-01-15T10:30:00.100000+00:00", "2026-01-15T10:30:00.500000+00:00", "2026-01-15T10:45:00+00:00"),
      );
      expect(statuses(answer)).toEqual(["stored", "duplicate", "stored"]);
      // In a batch of its own, and by another process that has not seen the first.
      const other = await startApp({ applicationId: APPLICATION_ID }, { ingest: engine.ingest });
      try {
        expect(statuses(await other.ingress(joins("2026-01-15T10:30:00.900000+00:00")))).toEqual(["duplicate"]);
      } finally {
        await other.close();
      }
      const { events } = await dispatcher.events.list({ tenantId: "default", type: "discord.member_joined" });
      expect(events.map(({ timestamp, data }) => [timestamp, data])).toEqual([
        ["2026-01-15T10:45:00.000Z", { guildId: GUILD_ID }],
        ["2026-01-15T10:30:00.100Z", { guildId: GUILD_ID }],
      ]);
    } finally {
      await app.close();
    }
  });
});
