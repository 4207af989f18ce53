import { Redis } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import { createApp, createColdConnect } from "../src/index.js";
import { hasRedis, startRedis } from "./support/redis.js";
import { describeEmbedded, listen, openWorld, until } from "./support/world.js";

const ask = { platformUserId: "80351110224678912", platformUserName: "nelly", email: "jo@example.com" };

async function openRedis() {
  const redis = await startRedis({ own: true });
  onTestFinished(() => redis.stop());
  const connect = () => {
    const client = new Redis(redis.url, { maxRetriesPerRequest: 1, retryStrategy: () => null });
    client.on("error", () => {});
    onTestFinished(() => client.disconnect());
    return client;
  };
  return { ...redis, connect };
}

if (!hasRedis) {
  describe.skip("limits on Redis (skipped: no redis-server and no REDIS_URL)", () => it("needs a Redis", () => {}));
} else {
  describeEmbedded("limits on Redis", (databases) => {
    it("H4 counts for all processes together, also what is asked at once, and nothing in the database", async () => {
      const { connect } = await openRedis();
      const redis = connect();
      const world = await openWorld(databases, { redis, throttle: { maxPerUser: 3, maxPerAddress: 100 } });
      const other = createColdConnect({ ...world.coldConnectOptions, redis: connect() });
      await until(() => redis.status === "ready");
      await until(async () => (await other.mintConfirm({ ...ask, platformUserId: "warm-up" })).ok);
      const results = await Promise.all(
        Array.from({ length: 12 }, (_, index) => (index % 2 ? other : world.coldConnect).mintConfirm(ask)),
      );
      expect(results.filter(({ ok }) => ok)).toHaveLength(3);
      expect(results.filter((result) => !result.ok && result.reason === "rate_limited")).toHaveLength(9);
      expect(await world.database.query(`select 1 from "${world.schema}".rate_limits`)).toEqual([]);
      for (const key of await redis.keys("*")) expect(key).not.toContain("jo@example.com");
    });

    it("H5 accepts a key once, over all processes, remembers it nowhere else, and refuses when Redis is away", async () => {
      const { connect, stop } = await openRedis();
      const redis = connect();
      const { engine, database, schema } = await openWorld(databases, { redis });
      const other = (await openWorld(databases, { redis: connect() })).engine;
      await until(() => redis.status === "ready");
      const key = "discord.interaction:1";
      const answers = await Promise.all([engine, other, engine, other].map((one) => one.acceptOnce(key, 60)));
      expect(answers.filter(Boolean)).toHaveLength(1);
      expect(await engine.acceptOnce("discord.interaction:2", 60)).toBe(true);
      expect(await database.query(`select 1 as one from "${schema}".accepted_keys`)).toEqual([]);
      const [kept = ""] = await redis.keys("*");
      expect(kept).not.toContain(key);
      expect(await redis.pttl(kept)).toBeGreaterThan(50_000);
      stop();
      await until(() => redis.status === "end");
      await expect(engine.acceptOnce("discord.interaction:3", 60)).rejects.toThrow();
    });

    it("H4 H7 fails closed when Redis is away", async () => {
      const { connect, stop } = await openRedis();
      const redis = connect();
      const route = { method: "GET" as const, path: "/page", summary: "A page", rateLimited: true, maxBodyBytes: 1024 };
      const world = await openWorld(databases, {
        redis,
        connectors: [
          {
            id: "discord",
            identityKinds: ["discord"],
            mergedProperties: ["discord"],
            destinations: [],
            routes: [{ ...route, handle: async () => new Response("page") }],
          },
        ],
      });
      const url = `${await listen(createApp(world.engine))}/v1/connectors/discord/page`;
      await until(() => redis.status === "ready");
      const answer = await fetch(url);
      expect(answer.status).toBe(200);
      expect(answer.headers.get("ratelimit")).toMatch(/^"connectors";r=59;t=\d+$/);
      expect((await world.coldConnect.mintConfirm(ask)).ok).toBe(true);

      stop();
      await until(() => redis.status === "end");
      expect((await fetch(url)).status).toBe(503);
      expect(await world.coldConnect.mintConfirm(ask)).toEqual({ ok: false, reason: "unavailable" });
    });
  });
}
