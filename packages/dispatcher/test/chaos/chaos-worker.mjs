// Publishes in every way there is, and delivers, until it is killed. Started by chaos-process.ts. Says a line for what it
// knows: `committed 12`, `rolled-back 13`, `unknown 14` (the database went away), `logged error …`.
import { setTimeout as sleep } from "node:timers/promises";
import { createDispatcher } from "@hookline/dispatcher";
import { fromPostgresJsTransaction, openDatabase } from "@hookline/postgres";
import pg from "pg";
import postgres from "postgres";
import { CHAOS_DIRECT } from "./chaos-destination.mjs";
import { Undone, waysToPublish } from "./chaos-ways.mjs";

const { url, schema, owner, first, keys, directUrl, isDatabaseKilled, options } = JSON.parse(process.argv[2]);

const say = (...words) => process.stdout.write(`${words.join(" ")}\n`);
const log = (level) => (fields, message) => say("logged", level, message, fields.err?.message ?? "");
const logger = { debug() {}, info() {}, warn: log("warn"), error: log("error") };

const pool = url.startsWith("postgres") ? new pg.Pool({ connectionString: url, application_name: owner }) : null;
// When its server dies it throws where nobody can catch it, and that would end the process.
const hasPostgresJs = pool !== null && !isDatabaseKilled;
const sql = hasPostgresJs ? postgres(url, { onnotice() {}, connection: { application_name: owner } }) : null;
// Also of a client that is given back broken: what nobody hears ends the process.
pool?.on("error", () => {}).on("connect", (client) => client.on("error", () => {}));
const { database, dispatcher } = await start();

async function start() {
  let opened;
  try {
    opened = await openDatabase(url, { applicationName: owner, logger });
    // There it is a session's setting, and there is one session.
    if (pool === null) await opened.query("select set_config('application_name', $1, false)", [owner]);
    const made = createDispatcher({ ...options, destinations: [CHAOS_DIRECT], database: opened, schema, logger });
    await made.start();
    return { database: opened, dispatcher: made };
  } catch (error) {
    if (!isDatabaseKilled) throw error;
    await opened?.close();
    await sleep(50);
    return start();
  }
}

/** A transaction that the dispatcher knows nothing of: of the caller's own driver where there is one. */
async function ownTransaction(work) {
  if (pool === null) return database.transaction(({ query }) => work({ query }));
  const client = await pool.connect();
  let failure;
  try {
    await client.query("begin");
    await work({ query: async (text, params) => (await client.query(text, params)).rows });
    await client.query("commit");
  } catch (error) {
    failure = error;
    if (error instanceof Undone) await client.query("rollback");
    throw error;
  } finally {
    client.release(failure !== undefined && !(failure instanceof Undone));
  }
}

/** The same by another driver. */
const postgresJsTransaction = (work) =>
  sql === null ? ownTransaction(work) : sql.begin((begun) => work(fromPostgresJsTransaction(begun)));

const ways = waysToPublish({
  dispatcher,
  schema,
  directUrl,
  transactions: { ofDispatcher: dispatcher.transaction, ofPg: ownTransaction, ofPostgresJs: postgresJsTransaction },
});

async function publishAll(stream, key) {
  let next = first + stream;
  const take = () => {
    const n = next;
    next += keys.length;
    return n;
  };
  // Not all with the same way at a time.
  for (let turn = stream * 5; ; turn += 1) {
    const { size, run } = ways[turn % ways.length];
    const ns = Array.from({ length: size }, take);
    const sayOfAll = (what) => {
      for (const n of ns) say(what, n);
    };
    try {
      await run(ns, key);
      sayOfAll("committed");
    } catch (error) {
      if (error instanceof Undone) sayOfAll("rolled-back");
      else if (isDatabaseKilled) {
        sayOfAll("unknown");
        await sleep(20);
      } else throw error;
    }
    await sleep(Math.random() * 8);
  }
}

await Promise.all(keys.map((key, stream) => publishAll(stream, key)));
