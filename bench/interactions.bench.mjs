// How long an interaction takes to be answered at 200 a second: by the connector on PGlite, with its replay guard and
// all, and by a bare route that only verifies the signature.
import { generateKeyPairSync, sign } from "node:crypto";
import { Pool } from "undici";
import { startProgram } from "./deliveries/program.mjs";
import { delay, median, percentile, shuffled } from "./deliveries/sample.mjs";
import { versionsOf } from "./deliveries/versions.mjs";

const FULL = { rounds: 7, warmUpMs: 3_000, measureMs: 8_000 };
const QUICK = { rounds: 2, warmUpMs: 1_000, measureMs: 2_000 };
const PER_SECOND = 200;
const CONTESTANTS = ["hookline", "bare"];
const SHARES = { "p50, ms": 0.5, "p95, ms": 0.95, "p99, ms": 0.99 };
const DISCORD_EPOCH_MS = 1_420_070_400_000;

export default async function bench({ quick }) {
  const size = quick ? QUICK : FULL;
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const publicKeyHex = publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("hex");
  const programs = Object.fromEntries(
    CONTESTANTS.map((kind) => [kind, startProgram("../interactions/server.program.mjs")]),
  );
  const pools = [];
  try {
    const targets = {};
    for (const kind of CONTESTANTS) {
      const { origin, path } = await programs[kind].call("open", { kind, publicKeyHex });
      const pool = new Pool(origin, { connections: 64 });
      pools.push(pool);
      targets[kind] = { pool, path, privateKey };
      await load(targets[kind], size.warmUpMs);
    }
    const samples = Object.fromEntries(CONTESTANTS.map((kind) => [kind, []]));
    for (let round = 0; round < size.rounds; round += 1) {
      for (const kind of shuffled(CONTESTANTS)) {
        const tookMs = await load(targets[kind], size.measureMs);
        samples[kind].push(
          Object.fromEntries(Object.entries(SHARES).map(([name, share]) => [name, percentile(tookMs, share)])),
        );
      }
    }
    const ratio = (share) => median(samples.hookline.map((one, round) => one[share] / samples.bare[round][share]));
    return {
      checks: [
        { what: "answer, p99, of a bare route that verifies", measured: ratio("p99, ms"), atMost: 3 },
        { what: "answer, p50, of a bare route that verifies", measured: ratio("p50, ms") },
      ],
      figures: {
        [`Interactions at ${PER_SECOND} a second`]: CONTESTANTS.map((what) => ({
          what,
          ...Object.fromEntries(
            Object.keys(SHARES).map((share) => [
              share,
              Number(median(samples[what].map((one) => one[share])).toFixed(2)),
            ]),
          ),
        })),
      },
      versions: versionsOf(["undici"]),
    };
  } finally {
    await Promise.all(pools.map((pool) => pool.close()));
    await Promise.all(Object.values(programs).map((program) => program.end()));
  }
}

/** Sends at the rate, whatever comes back when; answers how long each took, in milliseconds. */
async function load(target, durationMs) {
  const count = Math.round((durationMs / 1_000) * PER_SECOND);
  const startedAt = performance.now();
  const answers = [];
  while (answers.length < count) {
    const due = Math.min(count, Math.floor(((performance.now() - startedAt) / 1_000) * PER_SECOND) + 1);
    while (answers.length < due) answers.push(interact(target));
    await delay(1);
  }
  return Promise.all(answers);
}

let sequence = 0;

async function interact({ pool, path, privateKey }) {
  sequence += 1;
  // An id that Discord could have made now.
  const id = String((BigInt(Date.now() - DISCORD_EPOCH_MS) << 22n) | BigInt(sequence & 0x3f_ffff));
  const body = JSON.stringify({
    id,
    application_id: "100000000000000001",
    type: 2,
    token: "t".repeat(180),
    version: 1,
    guild_id: "200000000000000001",
    channel_id: "300000000000000001",
    locale: "en-US",
    member: {
      user: { id: "400000000000000001", username: "anna", global_name: "Anna" },
      roles: [],
      permissions: "2147483647",
    },
    data: { id: "500000000000000001", name: "ping", type: 1 },
  });
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const signature = sign(null, Buffer.from(timestamp + body), privateKey).toString("hex");
  const headers = {
    "content-type": "application/json",
    "x-signature-ed25519": signature,
    "x-signature-timestamp": timestamp,
  };
  const sentAt = performance.now();
  const answer = await pool.request({ method: "POST", path, headers, body });
  const text = await answer.body.text();
  const tookMs = performance.now() - sentAt;
  if (answer.statusCode !== 200 || JSON.parse(text).type !== 4) {
    throw new Error(`An interaction was answered ${answer.statusCode}: ${text}`);
  }
  return tookMs;
}
