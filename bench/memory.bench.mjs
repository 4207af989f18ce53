// What memory a dispatcher takes while a million deliveries wait: a process that drains them, against the same process
// before they came.
import { startProgram } from "./deliveries/program.mjs";
import { delay } from "./deliveries/sample.mjs";
import { queryOnce, startPostgres, startReceiver } from "./deliveries/services.mjs";
import { versionsOf } from "./deliveries/versions.mjs";

const FULL = { events: 10_000, endpoints: 100, idleMs: 3_000, drainMs: 20_000 };
const QUICK = { events: 1_000, endpoints: 100, idleMs: 1_000, drainMs: 4_000 };
const SAMPLE_EVERY_MS = 100;
const AT_MOST_MB = 150;
const BYTES_PER_MB = 1024 * 1024;

export default async function bench({ quick }) {
  const size = quick ? QUICK : FULL;
  const [postgres, { receiver, target, close }] = await Promise.all([startPostgres(), startReceiver()]);
  try {
    const databaseUrl = await postgres.createDatabase("backlog");
    const urls = Array.from({ length: size.endpoints }, (_, index) => target.urls[index % target.urls.length]);
    const sender = startProgram("./sender.program.mjs");
    await sender.call("open", { name: "hookline", prefix: "memory", databaseUrl, target: { ...target, urls } });
    await sender.call("start");
    await delay(size.idleMs);
    const idleMb = (await sender.call("rssBytes")) / BYTES_PER_MB;
    await sender.call("stop");
    await queryOnce(databaseUrl, ADD_EVENTS, [size.events]);
    await queryOnce(databaseUrl, ADD_DELIVERIES);
    await queryOnce(databaseUrl, "analyze");
    await receiver.call("reset");
    await sender.call("start");
    const samples = [];
    const endMs = performance.now() + size.drainMs;
    while (performance.now() < endMs) {
      samples.push((await sender.call("rssBytes")) / BYTES_PER_MB);
      await delay(SAMPLE_EVERY_MS);
    }
    const { requests } = await receiver.call("count");
    if (requests === 0) throw new Error("Nothing was delivered.");
    sender.kill();
    const highestMb = Math.max(...samples);
    return {
      checks: [
        { what: "memory above idle with the deliveries waiting, MB", measured: highestMb - idleMb, atMost: AT_MOST_MB },
      ],
      figures: {
        "Resident memory of the dispatcher's process, MB": [
          { what: "idle", MB: Math.round(idleMb) },
          {
            what: `${size.events * size.endpoints} waiting, ${requests} delivered meanwhile`,
            MB: Math.round(highestMb),
          },
        ],
      },
      versions: { ...versionsOf(["undici", "pg"]), postgres: postgres.version },
    };
  } finally {
    await Promise.all([close(), postgres.close()]);
  }
}

/** As `publish` leaves them where no worker runs, each for every endpoint. */
const ADD_EVENTS = `
  insert into hookline.events (id, tenant_id, type, occurred_at, stored_at, body)
  select 'evt_waiting_' || number, 'tenant-1', 'ticket.created', now(), now(),
    json_build_object('number', 'TKT-2026-' || number, 'description', repeat('The printer prints every page twice. ', 24))
  from generate_series(1, $1::integer) number`;

const ADD_DELIVERIES = `
  insert into hookline.queue (id, event_id, endpoint_id, tenant_id, state, leased, lease_no, next_at)
  select 'dlv_' || event.id || '_' || endpoint.id, event.id, endpoint.id, endpoint.tenant_id, 0, false, 0, now()
  from hookline.events event cross join hookline.endpoints endpoint`;
