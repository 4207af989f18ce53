// What a careful author writes around a queue that does not deliver webhooks itself: the same signature, the same pools,
// and the result of each attempt in a table of Postgres, by an insert of its own or, as nobody's documentation has it,
// one shared by results that come up together. It is fast on purpose: the endpoints are known without a look-up.
import { sign, standardWebhooks } from "@hookline/webhook-signing";
import { Pool } from "undici";
import { EVENT_TYPE } from "./events.mjs";

/** @param {import("./services.mjs").Target} target */
export function createPoster({ secret, urls }) {
  const secrets = [secret];
  const places = urls.map((url) => {
    const { origin, pathname } = new URL(url);
    return { pool: new Pool(origin, { connect: { lookup } }), path: pathname };
  });
  return {
    /** @param {import("./events.mjs").BenchEvent} event */
    async post({ id, origin, data }) {
      const { pool, path } = places[origin];
      const now = new Date();
      const body = `{"type":"${EVENT_TYPE}","timestamp":"${now.toISOString()}","data":${JSON.stringify(data)}}`;
      const timestamp = Math.floor(now.getTime() / 1000);
      const signature = sign(body, { scheme: standardWebhooks, secrets, id, timestamp });
      const headers = { "content-type": "application/json", "user-agent": "bench", ...signature };
      const response = await pool.request({ path, method: "POST", headers, body });
      const responseBody = await response.body.text();
      if (response.statusCode >= 300) throw new Error(`The receiver answered ${response.statusCode}.`);
      return {
        eventId: id,
        startedAt: now,
        durationMs: Date.now() - now.getTime(),
        status: response.statusCode,
        responseBody,
      };
    },
    close: () => Promise.all(places.map(({ pool }) => pool.close())),
  };
}

/** Stands for a resolver: every name is this machine. */
function lookup(_hostname, options, callback) {
  if (options.all) callback(null, [{ address: "127.0.0.1", family: 4 }]);
  else callback(null, "127.0.0.1", 4);
}

const RESULTS_TABLE = `create table if not exists results (
  event_id text not null,
  attempt integer not null,
  started_at timestamptz not null,
  duration_ms integer not null,
  outcome text not null,
  status integer,
  response_body text,
  primary key (event_id, attempt)
)`;

const COLUMNS = "(event_id, attempt, started_at, duration_ms, outcome, status, response_body)";

const INSERT_RESULT = `
  insert into results ${COLUMNS} values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`;

const INSERT_RESULTS = `
  insert into results ${COLUMNS}
  select * from unnest($1::text[], $2::integer[], $3::timestamptz[], $4::integer[], $5::text[], $6::integer[], $7::text[])
  on conflict do nothing`;

/**
 * @typedef {object} Results
 * @property {(result: object) => Promise<unknown>} record resolves when the result is committed
 * @property {() => Promise<number>} count
 */

/**
 * @param {import("pg").Pool} pool
 * @param {{ areGathered: boolean }} how
 * @returns {Promise<Results>}
 */
export async function createResults(pool, { areGathered }) {
  await pool.query(RESULTS_TABLE);
  return {
    record: areGathered ? createGathered(pool) : (result) => insertOne(pool, result),
    async count() {
      const { rows } = await pool.query("select count(*)::integer as count from results");
      return rows[0].count;
    },
  };
}

function insertOne(pool, { eventId, startedAt, durationMs, status, responseBody }) {
  return pool.query({
    name: "insert-result",
    text: INSERT_RESULT,
    values: [eventId, 1, startedAt, durationMs, "delivered", status, responseBody],
  });
}

function createGathered(pool) {
  let gathered = [];
  let isScheduled = false;
  let isWriting = false;

  const schedule = () => {
    if (isScheduled || isWriting || gathered.length === 0) return;
    isScheduled = true;
    setImmediate(write);
  };
  const write = async () => {
    isScheduled = false;
    isWriting = true;
    const batch = gathered;
    gathered = [];
    const column = (cell) => batch.map(({ result }) => cell(result));
    try {
      await pool.query({
        name: "insert-results",
        text: INSERT_RESULTS,
        values: [
          column(({ eventId }) => eventId),
          column(() => 1),
          column(({ startedAt }) => startedAt.toISOString()),
          column(({ durationMs }) => durationMs),
          column(() => "delivered"),
          column(({ status }) => status),
          column(({ responseBody }) => responseBody),
        ],
      });
      for (const { resolve } of batch) resolve();
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      isWriting = false;
      schedule();
    }
  };

  return (result) =>
    new Promise((resolve, reject) => {
      gathered.push({ result, resolve, reject });
      schedule();
    });
}
