// From publish to receipt at 100 events a second: handed over directly, claimed after the commit of a transaction that is
// not the dispatcher's, and by BullMQ.
import { startProgram } from "./deliveries/program.mjs";
import { median, percentile, shuffled, until } from "./deliveries/sample.mjs";
import { startPostgres, startReceiver, startRedis } from "./deliveries/services.mjs";
import { versionsOf } from "./deliveries/versions.mjs";

const FULL = { rounds: 3, warmUpMs: 2_000, measureMs: 10_000 };
const QUICK = { rounds: 1, warmUpMs: 1_000, measureMs: 3_000 };
const PER_SECOND = 100;
const SHARES = { "p50, ms": 0.5, "p95, ms": 0.95, "p99, ms": 0.99 };

const CONTESTANTS = {
  "handed over": { module: "hookline" },
  "foreign commit": { module: "hookline-foreign" },
  BullMQ: { module: "bullmq" },
};

const LIMITS = [
  { of: "handed over", share: "p50, ms", atMost: 1 },
  { of: "handed over", share: "p99, ms", atMost: 1.2 },
  { of: "foreign commit", share: "p50, ms" },
  { of: "foreign commit", share: "p99, ms", atMost: 2 },
];

export default async function bench({ quick }) {
  const size = quick ? QUICK : FULL;
  const [postgres, redis, { receiver, target, close }] = await Promise.all([
    startPostgres(),
    startRedis(),
    startReceiver(),
  ]);
  try {
    const urls = {
      hookline: await postgres.createDatabase("hookline"),
      bullmq: await postgres.createDatabase("bullmq"),
    };
    const samples = Object.fromEntries(Object.keys(CONTESTANTS).map((name) => [name, []]));
    for (let round = 0; round < size.rounds; round += 1) {
      for (const name of shuffled(Object.keys(CONTESTANTS))) {
        const { module } = CONTESTANTS[name];
        const options = { name: module, prefix: `${module}_${round}`, target, redisUrl: redis.url };
        const databaseUrl = urls[module] ?? urls.hookline;
        samples[name].push(await measure({ size, receiver, options: { ...options, databaseUrl } }));
      }
    }
    const checks = LIMITS.map(({ of, share, ...limit }) => ({
      what: `${of}, ${share.split(",")[0]}, of BullMQ`,
      measured: median(samples[of].map((one, round) => one[share] / samples.BullMQ[round][share])),
      ...limit,
    }));
    const rows = Object.entries(samples).map(([what, rounds]) => ({
      what,
      ...Object.fromEntries(
        Object.keys(SHARES).map((share) => [share, Number(median(rounds.map((one) => one[share])).toFixed(2))]),
      ),
    }));
    return {
      checks,
      figures: { [`From publish to receipt at ${PER_SECOND} events a second`]: rows },
      versions: { ...versionsOf(["bullmq", "undici", "pg"]), postgres: postgres.version },
    };
  } finally {
    await Promise.all([close(), postgres.close(), redis.close()]);
  }
}

async function measure({ size, receiver, options }) {
  const sender = startProgram("./sender.program.mjs");
  await sender.call("open", options);
  await sender.call("start");
  await receiver.call("reset", { notesArrivals: true });
  const published = await sender.call("publishAtRate", {
    perSecond: PER_SECOND,
    durationMs: size.warmUpMs + size.measureMs,
  });
  await until(async () => (await receiver.call("count")).received >= published.length, { what: "all have arrived" });
  const arrivals = new Map(await receiver.call("arrivals"));
  await sender.call("stop");
  await sender.end();
  const startedAt = published[0][1];
  const waits = published
    .filter(([, at]) => (at - startedAt) / 1e6 >= size.warmUpMs)
    .map(([id, at]) => (arrivals.get(id) - at) / 1e6);
  return Object.fromEntries(Object.entries(SHARES).map(([name, share]) => [name, percentile(waits, share)]));
}
