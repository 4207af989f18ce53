import type { Connector, SharedState } from "@hookline/core";
import { expect, it } from "vitest";
import { createApp } from "../src/index.js";
import { describeMatrix, discordConnector, fixedClock, openWorld, tableText, until } from "./support/world.js";

/** What the engine lends to a connector's routes: the state that they see. */
async function statesOf(connectors: readonly Connector[], engine: Parameters<typeof createApp>[0]) {
  const app = createApp(engine, {});
  for (const { id } of connectors) await app.request(`/v1/connectors/${id}/look`, { method: "POST" });
}

describeMatrix("state that a connector's processes share", (databases) => {
  async function open(clock = fixedClock()) {
    const states: SharedState[] = [];
    const look = (id: string) => ({
      ...discordConnector({
        routes: [
          {
            method: "POST",
            path: "/look",
            summary: "Look",
            rateLimited: false,
            maxBodyBytes: 1024,
            async handle(_request, { state }) {
              states.push(state);
              return new Response(null, { status: 204 });
            },
          },
        ],
      }),
      id,
    });
    const connectors = [look("discord"), look("other")];
    const world = await openWorld(databases, { clock, connectors });
    await statesOf(connectors, world.engine);
    await statesOf(connectors.slice(0, 1), world.engine);
    const [state, others, again] = states as [SharedState, SharedState, SharedState];
    return { world, clock, state, others, again };
  }

  it("shows what one process wrote to the others, and to no other connector", async () => {
    const { state, others, again, world } = await open();
    expect(await state.put("bot:400000000000000001", { value: "bot", ttlSeconds: 60 })).toBe(1);
    expect(await again.get(["bot:400000000000000001", "bot:2"])).toEqual(
      new Map([["bot:400000000000000001", { value: "bot", version: 1 }]]),
    );
    expect(await again.put("bot:400000000000000001", { value: "still", ttlSeconds: 60 })).toBe(2);
    expect(await others.get(["bot:400000000000000001"])).toEqual(new Map());
    expect(await state.get([])).toEqual(new Map());
    expect(await tableText(world, "shared_state")).not.toContain("400000000000000001");
  });

  it("lets one of several writers win that saw the same version", async () => {
    const { state, again } = await open();
    const race = (ifVersion: number) =>
      Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          (index % 2 === 0 ? state : again).put("lease", { value: String(index), ttlSeconds: 60, ifVersion }),
        ),
      );
    expect((await race(0)).filter((version) => version !== null)).toEqual([1]);
    expect((await race(1)).filter((version) => version !== null)).toEqual([2]);
    expect((await race(1)).filter((version) => version !== null)).toEqual([]);
    expect(await state.put("unknown", { value: "x", ttlSeconds: 60, ifVersion: 7 })).toBeNull();
    expect(await state.get(["unknown"])).toEqual(new Map());
  });

  it("lets a transaction that has read a value end before a write that comes after its readers, and no other write wait", async () => {
    const { state, again, world } = await open();
    await state.put("lease", { value: "first", ttlSeconds: 60 });
    const order: string[] = [];
    let end = () => {};
    const told = new Promise<void>((resolve) => {
      end = resolve;
    });
    let reader: Promise<void> = Promise.resolve();
    const entry = await new Promise((resolve) => {
      reader = world.database.transaction(async (transaction) => {
        resolve((await state.get(["lease", "unknown"], { transaction })).get("lease"));
        await told;
        order.push("read");
      });
    });
    expect(entry).toEqual({ value: "first", version: 1 });
    // PGlite has one connection, on which every write comes after the transaction.
    if (databases.kind === "postgres") await again.put("lease", { value: "prolonged", ttlSeconds: 60 });
    const writers = ["lease", "unknown"].map((key) =>
      again.put(key, { value: "second", ttlSeconds: 60, afterReaders: true }).then(() => order.push(`${key} written`)),
    );
    if (databases.kind === "postgres") {
      await until(async () => {
        const waiting = await world.database.query(
          `select 1 as found from pg_locks where not granted and locktype = 'advisory'
             and database = (select oid from pg_database where datname = current_database())`,
        );
        return waiting.length === writers.length;
      });
    }
    end();
    await Promise.all([reader, ...writers]);
    expect(order.slice(0, 1).concat(order.slice(1).sort())).toEqual(["read", "lease written", "unknown written"]);
    expect((await state.get(["lease"])).get("lease")?.value).toBe("second");
  });

  it("forgets a value when its time is over, and takes a new one in its place", async () => {
    const { state, clock, world } = await open();
    await state.put("lease", { value: "first", ttlSeconds: 60 });
    clock.advance(60_000);
    expect(await state.get(["lease"])).toEqual(new Map());
    expect(await state.put("lease", { value: "late", ttlSeconds: 60, ifVersion: 1 })).toBeNull();
    expect(await state.put("lease", { value: "second", ttlSeconds: 60, ifVersion: 0 })).toBe(2);
    await state.put("other", { value: "gone", ttlSeconds: 1 });
    clock.advance(61_000);
    await state.put("third", { value: "here", ttlSeconds: 60 });
    expect(await tableText(world, "shared_state")).not.toContain("gone");
  });
});
