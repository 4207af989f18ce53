// Publishes in every way there is, and delivers, until it is killed. Started by chaos-process.ts. Says a line for what it
// knows: `committed 12`, `rolled-back 13`, `unknown 14` (the database went away), `logged error …`.
import { setTimeout as sleep } from "node:timers/promises";
import { createDispatcher } from "@hookline/dispatcher";
import { openDatabase } from "@hookline/postgres";
import pg from "pg";

const { url, schema, owner, first, keys, isDatabaseKilled, options } = JSON.parse(process.argv[2]);

const say = (...words) => process.stdout.write(`${words.join(" ")}\n`);
const log = (level) => (fields, message) => say("logged", level, message, fields.err?.message ?? "");
const logger = { debug() {}, info() {}, warn: log("warn"), error: log("error") };

const pool = url.startsWith("postgres") ? new pg.Pool({ connectionString: url, application_name: owner }) : null;
// Also of a client that is given back broken: what nobody hears ends the process.
pool?.on("error", () => {}).on("connect", (client) => client.on("error", () => {}));
const { database, dispatcher } = await start();

async function start() {
  let opened;
  try {
    opened = await openDatabase(url, { applicationName: owner, logger });
    // There it is a session's setting, and there is one session.
    if (pool === null) await opened.query("select set_config('application_name', $1, false)", [owner]);
    const made = createDispatcher({ ...options, database: opened, schema, logger });
    await made.start();
    return { database: opened, dispatcher: made };
  } catch (error) {
    if (!isDatabaseKilled) throw error;
    await opened?.close();
    await sleep(50);
    return start();
  }
}

class Undone extends Error {}

const eventOf = (n, orderingKey, { isRolledBack = false, hasOrder = false } = {}) => ({
  tenantId: "acme",
  type: "chaos.event",
  data: { n, orderingKey, isRolledBack, hasOrder },
  ...(orderingKey === null ? {} : { orderingKey }),
});

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

const order = (transaction, n) => transaction.query(`insert into ${schema}.orders values ($1)`, [String(n)]);

const within = (begin, isRolledBack) => (n, key) =>
  begin(async (transaction) => {
    await order(transaction, n);
    await dispatcher.publish(eventOf(n, key, { isRolledBack, hasOrder: true }), { transaction });
    if (isRolledBack) throw new Undone();
  });

const WAYS = [
  (n, key) => dispatcher.publish(eventOf(n, key)),
  within(dispatcher.transaction, false),
  within(ownTransaction, true),
  within(ownTransaction, false),
  (n, key) => {
    const event = { ...eventOf(n, key), idempotencyKey: `event-${n}` };
    return Promise.all([dispatcher.publish(event), dispatcher.publish(event)]);
  },
  within(dispatcher.transaction, true),
  (n, key) =>
    dispatcher.transaction(async (transaction) => {
      await order(transaction, n);
      await transaction.query("savepoint before");
      await dispatcher.publish(eventOf(n, key, { isRolledBack: true }), { transaction });
      await transaction.query("rollback to savepoint before");
      await dispatcher.publish(eventOf(n, key, { hasOrder: true }), { transaction });
    }),
];

async function publishAll(stream, key) {
  for (let turn = 0; ; turn += 1) {
    const n = first + turn * keys.length + stream;
    try {
      await WAYS[(turn + stream) % WAYS.length](n, key);
      say("committed", n);
    } catch (error) {
      if (error instanceof Undone) say("rolled-back", n);
      else if (isDatabaseKilled) {
        say("unknown", n);
        await sleep(20);
      } else throw error;
    }
    await sleep(Math.random() * 8);
  }
}

await Promise.all(keys.map((key, stream) => publishAll(stream, key)));
