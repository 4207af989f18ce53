import { createReplayGuard, type ReplayStore } from "@hookline/webhook-signing";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPostgresReplayStore, createRedisReplayStore } from "../src/index.js";
import { hasRedis, startRedis, type TestRedis } from "./support/redis.js";
import { describeMatrix, fixedClock, openWorld } from "./support/world.js";

/** What every store has to do, seen through the guard. */
async function expectGuarding(one: ReplayStore, other: ReplayStore): Promise<void> {
  const guards = [createReplayGuard(one, { scope: "a" }), createReplayGuard(other, { scope: "a" })] as const;
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => guards[index % 2 === 0 ? 0 : 1].accept({ id: "msg_1" })),
  );
  expect(answers.filter(Boolean)).toHaveLength(1);
  expect(await guards[1].accept({ id: "msg_2" })).toBe(true);
  expect(await createReplayGuard(one, { scope: "b" }).accept({ id: "msg_1" })).toBe(true);
  await guards[0].forget({ id: "msg_1" });
  expect(await guards[1].accept({ id: "msg_1" })).toBe(true);
  expect(await guards[0].accept({ id: "msg_1" })).toBe(false);
}

describeMatrix("the replay store on Postgres", (databases) => {
  it("E8 accepts each message once, whichever process it reaches, and again once it was forgotten", async () => {
    const { database, schema } = await openWorld(databases);
    await expectGuarding(
      createPostgresReplayStore({ database, schema }),
      createPostgresReplayStore({ database, schema }),
    );
  });

  it("E8 keeps a key for its time and no longer", async () => {
    const clock = fixedClock();
    const { database, schema } = await openWorld(databases);
    const store = createPostgresReplayStore({ database, schema, clock });
    expect(await store.add("key", 60)).toBe(true);
    clock.advance(59_000);
    expect(await store.add("key", 60)).toBe(false);
    clock.advance(1_001);
    expect(await store.add("key", 60)).toBe(true);
  });
});

describe.skipIf(!hasRedis)("the replay store on Redis (needs redis-server or REDIS_URL)", () => {
  let redis: TestRedis;
  const clients: Redis[] = [];

  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => {
    for (const client of clients) client.disconnect();
    redis.stop();
  });

  function connect(): Redis {
    const client = new Redis(redis.url, { maxRetriesPerRequest: null });
    clients.push(client);
    return client;
  }

  it("E8 accepts each message once, whichever process it reaches, and again once it was forgotten", async () => {
    const keyPrefix = `test:${Date.now()}:`;
    await expectGuarding(
      createRedisReplayStore({ redis: connect(), keyPrefix }),
      createRedisReplayStore({ redis: connect(), keyPrefix }),
    );
  });

  it("E8 keeps a key for its time and no longer, and lets Redis forget it", async () => {
    const client = connect();
    const keyPrefix = `test:${Date.now()}:`;
    const store = createRedisReplayStore({ redis: client, keyPrefix });
    expect(await store.add("key", 60)).toBe(true);
    expect(await store.add("key", 60)).toBe(false);
    const leftMs = await client.pttl(`${keyPrefix}key`);
    expect(leftMs).toBeGreaterThan(55_000);
    expect(leftMs).toBeLessThanOrEqual(60_000);
  });
});
