import { describeMatrix as describeDatabases } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEngine, supportSource } from "../src/index.js";
import { ENCRYPTION_KEY, fixedClock, openWorld, tableText } from "./support/world.js";

const DAY_MS = 24 * 3600 * 1000;
const OTHER_KEY = Buffer.alloc(32, 3).toString("base64");

describe("secrets of sources", () => {
  describeDatabases({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
    it("E14 are told 90 days after they were first seen, once, and again 90 days after they changed", async () => {
      const clock = fixedClock();
      const world = await openWorld(databases, { clock });
      const { database, schema, dispatcher } = world;
      const open = (secrets: readonly string[], encryptionKey: string | readonly string[] = ENCRYPTION_KEY) =>
        createEngine({
          database,
          schema,
          outbox: dispatcher,
          eventLog: dispatcher.events,
          encryptionKey,
          clock,
          sources: [supportSource({ tenantId: "acme", secrets })],
        });
      const [first, second] = ["the-first-secret-0123456789", "the-second-secret-0123456789"] as const;
      const told = async (secrets: readonly string[], key?: string | readonly string[]) =>
        (await open(secrets, key).notices.publishRotationDue()).map(({ kind, id }) => `${kind} ${id}`);

      expect(await told([first])).toEqual([]);
      clock.advance(90 * DAY_MS - 1);
      expect(await told([first])).toEqual([]);
      clock.advance(1);
      const due = await open([first]).notices.rotationDue({ tenantId: "acme" });
      expect(due).toMatchObject([{ tenantId: "acme", kind: "source_secret" }]);
      expect(await open([first]).notices.rotationDue({ tenantId: "globex" })).toEqual([]);
      expect(await told([first])).toEqual([`source_secret ${due[0]?.id}`]);
      expect(await told([first])).toEqual([]);
      expect(await tableText(world, "secret_ages")).not.toContain(first);

      // A new one in front begins anew; the older one beside it does not count.
      expect(await told([second, first])).toEqual([]);
      clock.advance(89 * DAY_MS);
      // Where the key that could tell is gone, it counts as the same secret.
      expect(await told([second], OTHER_KEY)).toEqual([]);
      clock.advance(DAY_MS);
      expect(await told([second], OTHER_KEY)).toEqual([`source_secret ${due[0]?.id}`]);
    });
  });
});
