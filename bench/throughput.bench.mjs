// Whole deliveries a second (published durably, signed, sent, recorded) as shares of what one process can send at all,
// and against three queues that do the same work. All in rounds, in random order.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { treeCpuMs } from "./deliveries/process-tree.mjs";
import { startProgram } from "./deliveries/program.mjs";
import { delay, median, shuffled, until } from "./deliveries/sample.mjs";
import { startPostgres, startReceiver, startRedis } from "./deliveries/services.mjs";
import { versionsOf } from "./deliveries/versions.mjs";

const FULL = { rounds: 5, warmUpMs: 6_000, measureMs: 4_000, backlogOfPeers: 4_000, backlog: 16_000 };
const QUICK = { rounds: 1, warmUpMs: 2_500, measureMs: 1_500, backlogOfPeers: 2_000, backlog: 6_000 };
/** Deliveries under way before publishers wait. */
const WINDOW = 512;
/** What of a backlog is delivered before the measuring begins, and when it ends. */
const DRAIN_FROM = 0.25;
const DRAIN_TO = 0.95;

const CONTESTANTS = {
  ceiling: { module: "ceiling", ways: ["steady"] },
  "bare minimum": { module: "bare", ways: ["steady"] },
  hookline: { module: "hookline", ways: ["steady", "drain"] },
  "hookline, two processes": { module: "hookline", ways: ["steady"], isApart: true },
  "hookline on PGlite": { module: "hookline", ways: ["steady"], isEmbedded: true },
  BullMQ: { module: "bullmq", ways: ["steady", "drain"], isPeer: true },
  "pg-boss": { module: "pg-boss", ways: ["steady", "drain"], isPeer: true },
  "graphile-worker": { module: "graphile-worker", ways: ["steady", "drain"], isPeer: true },
  "BullMQ, results gathered": { module: "bullmq", ways: ["steady", "drain"], isPeer: true, areGathered: true },
  "pg-boss, results gathered": { module: "pg-boss", ways: ["drain"], isPeer: true, areGathered: true },
  "graphile-worker, results gathered": {
    module: "graphile-worker",
    ways: ["drain"],
    isPeer: true,
    areGathered: true,
  },
};

const LIMITS = [
  { what: "steady, of the ceiling", of: "hookline steady", to: "ceiling steady", atLeast: 0.5 },
  { what: "drain, of the ceiling", of: "hookline drain", to: "ceiling steady", atLeast: 0.6 },
  { what: "two processes, of the ceiling", of: "hookline, two processes steady", to: "ceiling steady", atLeast: 0.45 },
  { what: "PGlite, of the ceiling", of: "hookline on PGlite steady", to: "ceiling steady", atLeast: 0.4 },
  { what: "steady, times BullMQ", of: "hookline steady", to: "BullMQ steady", atLeast: 3 },
  { what: "steady, times pg-boss", of: "hookline steady", to: "pg-boss steady", atLeast: 6 },
  { what: "steady, times graphile-worker", of: "hookline steady", to: "graphile-worker steady", atLeast: 6 },
  { what: "drain, times BullMQ", of: "hookline drain", to: "BullMQ drain", atLeast: 3 },
  { what: "drain, times pg-boss", of: "hookline drain", to: "pg-boss drain", atLeast: 2.5 },
  { what: "drain, times graphile-worker", of: "hookline drain", to: "graphile-worker drain", atLeast: 2.5 },
  { what: "bare minimum, of the ceiling", of: "bare minimum steady", to: "ceiling steady" },
  { what: "steady, of the bare minimum", of: "hookline steady", to: "bare minimum steady" },
  { what: "steady, times BullMQ, results gathered", of: "hookline steady", to: "BullMQ, results gathered steady" },
  { what: "drain, times BullMQ, results gathered", of: "hookline drain", to: "BullMQ, results gathered drain" },
  { what: "drain, times pg-boss, results gathered", of: "hookline drain", to: "pg-boss, results gathered drain" },
  {
    what: "drain, times graphile-worker, results gathered",
    of: "hookline drain",
    to: "graphile-worker, results gathered drain",
  },
];

/** @param {{ quick: boolean, only: readonly string[] }} options `only`: the parts of names of contestants; none: all */
export default async function bench({ quick, only }) {
  const size = quick ? QUICK : FULL;
  const names = Object.keys(CONTESTANTS).filter(
    (name) => only.length === 0 || only.some((part) => name.toLowerCase().includes(part.toLowerCase())),
  );
  const folder = mkdtempSync(join(tmpdir(), "hookline-bench-"));
  const [postgres, redis, { receiver, target, close }] = await Promise.all([
    startPostgres(),
    startRedis(),
    startReceiver(),
  ]);
  try {
    const world = { size, folder, postgres, redis, receiver, target, databases: new Map() };
    const entries = names.flatMap((name) => CONTESTANTS[name].ways.map((way) => ({ name, way })));
    const samples = new Map(entries.map(({ name, way }) => [`${name} ${way}`, []]));
    for (let round = 0; round < size.rounds; round += 1) {
      for (const entry of shuffled(entries)) {
        samples.get(`${entry.name} ${entry.way}`).push(await measure(world, { ...entry, round }));
      }
    }
    return {
      checks: checksOf(samples),
      figures: { "Deliveries a second, and microseconds of CPU for one": rowsOf(samples) },
      versions: { ...versionsOf(["bullmq", "pg-boss", "graphile-worker", "undici", "pg"]), postgres: postgres.version },
    };
  } finally {
    await Promise.all([close(), postgres.close(), redis.close()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One contestant, once, in processes that begin and end with it. */
async function measure(world, { name, way, round }) {
  const contestant = CONTESTANTS[name];
  const options = {
    name: contestant.module,
    prefix: `${Object.keys(CONTESTANTS).indexOf(name)}_${way}_${round}`,
    databaseUrl: await databaseFor(world, name),
    redisUrl: world.redis.url,
    target: world.target,
    areGathered: contestant.areGathered ?? false,
  };
  const publisher = startProgram("./sender.program.mjs");
  await publisher.call("open", options);
  const worker = contestant.isApart ? startProgram("./sender.program.mjs") : publisher;
  if (worker !== publisher) await worker.call("open", options);
  await world.receiver.call("reset");
  const before = await worker.call("recorded");
  const stopNews = world.receiver.onNews(({ received }) => publisher.tell("received", received));
  const sample = way === "steady" ? await steady(world, { publisher, worker }) : await drain(world, { worker, name });
  await verifyAll(world, { worker, before, ...sample });
  stopNews();
  if (sample.total !== undefined) await worker.call("stop");
  await worker.end();
  if (worker !== publisher) await publisher.end();
  return sample;
}

async function databaseFor({ databases, postgres, folder }, name) {
  if (CONTESTANTS[name].isEmbedded) return `pglite://${join(folder, "pglite")}`;
  // Both arrangements of processes find the same tables.
  const key = CONTESTANTS[name].module.replaceAll("-", "_");
  if (!databases.has(key)) databases.set(key, await postgres.createDatabase(key));
  return databases.get(key);
}

async function steady(world, { publisher, worker }) {
  const { size, receiver } = world;
  await worker.call("start");
  await publisher.call("publishSteadily", WINDOW);
  await delay(size.warmUpMs);
  const sample = await rateDuring(world, { publisher, worker, work: () => delay(size.measureMs) });
  const published = await publisher.call("stopPublishing");
  if (published > 0) return { ...sample, total: published };
  // The ceiling publishes nothing: it ends with its last request.
  await worker.call("stop");
  return { ...sample, sent: (await receiver.call("count")).received };
}

async function drain(world, { worker, name }) {
  const { size, receiver } = world;
  const total = CONTESTANTS[name].isPeer ? size.backlogOfPeers : size.backlog;
  await worker.call("fill", total);
  await worker.call("start");
  const reached = (count) => ({
    what: `${name} has delivered ${count} of ${total}`,
    everyMs: 10,
    async check() {
      return (await receiver.call("count")).received >= count;
    },
  });
  const wait = ({ check, ...how }) => until(check, how);
  await wait(reached(total * DRAIN_FROM));
  const sample = await rateDuring(world, {
    publisher: worker,
    worker,
    work: () => wait(reached(total * DRAIN_TO)),
  });
  return { ...sample, total };
}

/** Receipts a second while `work` runs, and what CPU they took. */
async function rateDuring({ receiver, postgres, redis }, { publisher, worker, work }) {
  const programs = { node: new Set([publisher.pid, worker.pid]), receiver: new Set([receiver.pid]) };
  const cpu = () => ({
    node: sum([...programs.node].map(treeCpuMs)),
    postgres: treeCpuMs(postgres.pid),
    redis: treeCpuMs(redis.pid),
    receiver: treeCpuMs(receiver.pid),
  });
  const [countBefore, cpuBefore] = [await receiver.call("count"), cpu()];
  await work();
  const [countAfter, cpuAfter] = [await receiver.call("count"), cpu()];
  const received = countAfter.received - countBefore.received;
  const micros = Object.fromEntries(
    Object.keys(cpuAfter).map((part) => [part, (1000 * (cpuAfter[part] - cpuBefore[part])) / received]),
  );
  return { perSecond: (1000 * received) / (countAfter.atMs - countBefore.atMs), micros };
}

/** The work counts only when it was done: all received once, with signatures that hold, and all written down. */
async function verifyAll({ receiver }, { worker, before, total, sent }) {
  const expected = total ?? sent;
  await until(async () => (await receiver.call("count")).received >= expected, { what: `all ${expected} arrived` });
  if (total !== undefined) {
    await until(async () => (await worker.call("recorded")) - before >= total, { what: `all ${total} are recorded` });
  }
  const { duplicates, refused } = await receiver.call("count");
  if (duplicates > 0 || refused > 0) throw new Error(`${duplicates} duplicates, ${refused} signatures refused.`);
}

function checksOf(samples) {
  return LIMITS.filter(({ of, to }) => samples.has(of) && samples.has(to)).map(({ what, of, to, atLeast }) => {
    const base = samples.get(to);
    return {
      what,
      measured: median(samples.get(of).map((one, round) => one.perSecond / base[round].perSecond)),
      atLeast,
    };
  });
}

function rowsOf(samples) {
  return [...samples].map(([what, rounds]) => {
    const micros = (part) => Math.round(median(rounds.map((one) => one.micros[part])));
    return {
      what,
      "a second": Math.round(median(rounds.map(({ perSecond }) => perSecond))),
      lowest: Math.round(Math.min(...rounds.map(({ perSecond }) => perSecond))),
      highest: Math.round(Math.max(...rounds.map(({ perSecond }) => perSecond))),
      "Node, µs": micros("node"),
      "Postgres, µs": micros("postgres"),
      "Redis, µs": micros("redis"),
      "receiver, µs": micros("receiver"),
    };
  });
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
