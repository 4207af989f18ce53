// The least that can be called a durable delivery, by hand: what is published together shares one insert of the event
// and its place in a queue, is sent from memory, and shares one statement that writes the results down and empties the
// queue. Nothing claims what a crash leaves, nothing is tried again, no endpoint is looked up, no limit is kept.
import pg from "pg";
import { EVENT_TYPE, tenantOf } from "../events.mjs";
import { createPoster } from "../peer-delivery.mjs";

const IN_FLIGHT = 64;

const TABLES = `
  create schema if not exists bare;
  create table if not exists bare.events (
    id text primary key, tenant_id text not null, type text not null, body text not null, stored_at timestamptz not null
  );
  create table if not exists bare.queue (id text primary key, leased_until timestamptz not null);
  create table if not exists bare.results (
    event_id text not null, attempt integer not null, started_at timestamptz not null, duration_ms integer not null,
    outcome text not null, status integer, response_body text, primary key (event_id, attempt)
  )`;

const PUBLISH = `
  with queued as (
    insert into bare.queue select id, now() + interval '1 minute' from unnest($1::text[]) as id
  )
  insert into bare.events
  select id, tenant_id, $4, body, now() from unnest($1::text[], $2::text[], $3::text[]) as t (id, tenant_id, body)`;

const RECORD = `
  with ended as (delete from bare.queue where id = any ($1::text[]) returning id)
  insert into bare.results
  select id, 1, started_at, duration_ms, 'delivered', status, response_body
  from ended join unnest($1::text[], $2::timestamptz[], $3::integer[], $4::integer[], $5::text[])
    as t (id, started_at, duration_ms, status, response_body) using (id)`;

/** @type {import("../sender.program.mjs").ContestantFactory} */
export async function createContestant({ databaseUrl, target }) {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 4 });
  const poster = createPoster(target);
  await pool.query(TABLES);
  let inFlight = 0;
  const waiting = [];
  const results = createGathered((rows) =>
    pool.query({
      name: "record",
      text: RECORD,
      values: ["eventId", "startedAt", "durationMs", "status", "responseBody"].map((name) =>
        rows.map((row) => row[name]),
      ),
    }),
  );
  const deliver = async (event) => {
    const result = await poster.post(event);
    inFlight -= 1;
    pump();
    await results.add(result);
  };
  const pump = () => {
    while (inFlight < IN_FLIGHT && waiting.length > 0) {
      inFlight += 1;
      deliver(waiting.shift()).catch(fail);
    }
  };
  const events = createGathered(async (rows) => {
    await pool.query({
      name: "publish",
      text: PUBLISH,
      values: [
        rows.map(({ id }) => id),
        rows.map(({ origin }) => tenantOf(origin)),
        rows.map(({ data }) => JSON.stringify(data)),
        EVENT_TYPE,
      ],
    });
    setImmediate(() => {
      waiting.push(...rows);
      pump();
    });
  });
  return {
    start: async () => {},
    stop: () => results.idle(),
    publish: async (event) => {
      await events.add(event);
      return event.id;
    },
    async recorded() {
      const { rows } = await pool.query("select count(*)::integer as count from bare.results");
      return rows[0].count;
    },
    close: () => Promise.all([poster.close(), pool.end()]),
  };
}

function fail(error) {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
}

/** One write at a time, of all that came up meanwhile. */
function createGathered(write) {
  let gathered = [];
  let isBusy = false;
  const idlers = [];
  const run = async () => {
    while (gathered.length > 0) {
      const batch = gathered;
      gathered = [];
      await write(batch.map(({ row }) => row));
      for (const { resolve } of batch) resolve();
      await new Promise((resolve) => setImmediate(resolve));
    }
    isBusy = false;
    for (const resolve of idlers.splice(0)) resolve();
  };
  return {
    add: (row) =>
      new Promise((resolve) => {
        gathered.push({ row, resolve });
        if (isBusy) return;
        isBusy = true;
        setImmediate(() => run().catch(fail));
      }),
    idle: () => (isBusy ? new Promise((resolve) => idlers.push(resolve)) : undefined),
  };
}
