import type { CountedUse, UseCount } from "@hookline/core";
import { expect, it } from "vitest";
import { createApp, createEngine } from "../src/index.js";
import { describeMatrix, discordConnector, ENCRYPTION_KEY, openWorld } from "./support/world.js";

describeMatrix("what connector routes are lent", (databases) => {
  it("counts a key's uses within its window, for all processes on the database", async () => {
    const connector = discordConnector({
      routes: [
        {
          method: "POST",
          path: "/use",
          summary: "Use",
          rateLimited: false,
          maxBodyBytes: 1024,
          handle: async (request, { countUse }) => Response.json(await countUse((await request.json()) as CountedUse)),
        },
      ],
    });
    const { engine, database, schema, dispatcher } = await openWorld(databases, { connectors: [connector] });
    const parts = { database, schema, outbox: dispatcher, eventLog: dispatcher.events };
    const other = createEngine({ ...parts, connectors: [connector], encryptionKey: ENCRYPTION_KEY });
    const [first, second] = [createApp(engine), createApp(other)];
    const use = async (app: typeof first, key: string): Promise<UseCount> => {
      const body = JSON.stringify({ key, max: 2, windowSeconds: 60 });
      const answer = await app.request("/v1/connectors/discord/use", { method: "POST", body });
      return (await answer.json()) as UseCount;
    };
    expect(await use(first, "anna")).toMatchObject({ allowed: true });
    expect(await use(second, "anna")).toMatchObject({ allowed: true });
    for (const app of [first, second]) {
      const refused = await use(app, "anna");
      expect(refused.allowed).toBe(false);
      expect(refused.resetMs).toBeGreaterThan(50_000);
      expect(refused.resetMs).toBeLessThanOrEqual(60_000);
    }
    expect(await use(second, "ben")).toMatchObject({ allowed: true });
  });
});
