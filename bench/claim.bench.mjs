// What a claim takes: beside a million finished deliveries and a hundred thousand that are due later, and after many
// deliveries while an open snapshot keeps vacuum from clearing up.
import pg from "pg";
import { startProgram } from "./deliveries/program.mjs";
import { median, shuffled } from "./deliveries/sample.mjs";
import { queryOnce, startPostgres } from "./deliveries/services.mjs";
import { versionsOf } from "./deliveries/versions.mjs";

const FULL = { rounds: 5, due: 6_000, few: 1_000, finished: 1_000_000, later: 100_000, delivered: 200_000 };
const QUICK = { rounds: 2, due: 3_000, few: 1_000, finished: 50_000, later: 10_000, delivered: 10_000 };
/** Published and delivered at a time while the snapshot is open. */
const PORTION = 20_000;

export default async function bench({ quick }) {
  const size = quick ? QUICK : FULL;
  const postgres = await startPostgres();
  try {
    const { few, many } = await besideOthers(postgres, size);
    const { before, after } = await besideSnapshot(postgres, size);
    const row = (what, claims) => ({ what, "median, ms": Number(median(claims).toFixed(2)), claims: claims.length });
    return {
      checks: [
        { what: "claim beside many, of one beside few", measured: ratioOf(many, few), atMost: 1.3 },
        { what: "claim beside dead rows, of one before", measured: ratioOf(after, before), atMost: 2 },
      ],
      figures: {
        "Claim of 200 deliveries": [
          row(`beside ${size.few} finished`, few.flat()),
          row(`beside ${size.finished} finished and ${size.later} due later`, many.flat()),
          row("before", before.flat()),
          row(`after ${size.delivered} deliveries beside an open snapshot`, after.flat()),
        ],
      },
      versions: { ...versionsOf(["pg"]), postgres: postgres.version },
    };
  } finally {
    await postgres.close();
  }
}

/** Of the medians of each round. */
function ratioOf(rounds, base) {
  return median(rounds.map((claims, round) => median(claims) / median(base[round])));
}

async function besideOthers(postgres, size) {
  const sizes = { few: { finished: size.few, later: 0 }, many: { finished: size.finished, later: size.later } };
  const programs = {};
  for (const [name, { finished, later }] of Object.entries(sizes)) {
    const databaseUrl = await postgres.createDatabase(name);
    programs[name] = startProgram("./claims.program.mjs");
    await programs[name].call("open", { databaseUrl });
    await programs[name].call("claimAll", size.due);
    await queryOnce(databaseUrl, ADD_FINISHED, [finished]);
    await queryOnce(databaseUrl, ADD_LATER, [later]);
    await queryOnce(databaseUrl, "vacuum analyze");
  }
  const samples = { few: [], many: [] };
  for (let round = 0; round < size.rounds; round += 1) {
    for (const name of shuffled(Object.keys(programs))) {
      samples[name].push(await programs[name].call("claimAll", size.due));
    }
  }
  for (const program of Object.values(programs)) await program.end();
  return samples;
}

async function besideSnapshot(postgres, size) {
  const databaseUrl = await postgres.createDatabase("snapshot");
  const program = startProgram("./claims.program.mjs");
  await program.call("open", { databaseUrl });
  await program.call("claimAll", size.due);
  const samples = { before: [], after: [] };
  for (let round = 0; round < size.rounds; round += 1) samples.before.push(await program.call("claimAll", size.due));
  const reader = new pg.Client({ connectionString: databaseUrl });
  await reader.connect();
  await reader.query("begin isolation level repeatable read");
  await reader.query("select count(*) from hookline.queue");
  for (let left = size.delivered; left > 0; left -= PORTION) {
    await program.call("claimAll", Math.min(left, PORTION), { times: false });
  }
  for (let round = 0; round < size.rounds; round += 1) samples.after.push(await program.call("claimAll", size.due));
  await reader.end();
  await program.end();
  return samples;
}

/** As deliveries leave them that ended in the past days. */
const ADD_FINISHED = `
  with event as (
    insert into hookline.events (id, tenant_id, type, occurred_at, stored_at, body)
    select 'evt_finished_' || number, 'tenant-' || number % 100, 'ticket.created', time, time, '{"number":"TKT-2026-1"}'
    from (select number, now() - number * interval '1 second' as time from generate_series(1, $1::integer) number) ended
  )
  insert into hookline.attempts (delivery_id, attempt, lease_no, tenant_id, endpoint_id, event_id, started_at, duration_ms,
    outcome, ending, status)
  select 'dlv_finished_' || number, 1, 1, 'tenant-' || number % 100, 'ep_' || number % 100, 'evt_finished_' || number,
    now() - number * interval '1 second', 5, 'delivered', 'delivered', 204
  from generate_series(1, $1::integer) number`;

/** As a failed attempt leaves them. */
const ADD_LATER = `
  insert into hookline.queue (id, event_id, endpoint_id, tenant_id, state, leased, lease_no, attempt, next_at)
  select 'dlv_later_' || number, 'evt_finished_' || number, 'ep_' || number % 100, 'tenant-' || number % 100, 0, false, 1, 1,
    now() + interval '1 hour' + number * interval '1 second'
  from generate_series(1, $1::integer) number`;
