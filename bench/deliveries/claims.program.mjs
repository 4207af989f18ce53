// A worker whose deliveries cost nothing but the queue: their destination has nothing to do. Each claim is timed where
// the dispatcher meets its database.
import { createDispatcher } from "@hookline/dispatcher";
import { openDatabase } from "@hookline/postgres";
import { DISPATCHER_OPTIONS } from "./contestants/hookline.mjs";
import { createEventSource, EVENT_TYPE, tenantOf } from "./events.mjs";
import { serveCalls } from "./program.mjs";
import { delay, until } from "./sample.mjs";

const TENANTS = 100;
const FILL_BATCH = 500;
/** Claims of fewer rows are left out: the last ones find little. */
const FULL_CLAIM = 200;

let database;
let dispatcher;
let running = 0;
let isTimed = true;
let claims = [];
let done = 0;
const nextEvent = createEventSource("claim", TENANTS);

const nothing = {
  id: "nothing",
  plan() {
    done += 1;
    return null;
  },
};

/** A claim of what is due, not one of a busy endpoint's. */
function isClaim(text) {
  return text.includes("skip locked") && text.includes("order by next_at");
}

async function counted(text, params) {
  running += 1;
  try {
    return await database.query(text, params);
  } finally {
    running -= 1;
  }
}

/** A claim is timed alone: beside others it would be their time as well. */
async function timed(text, params) {
  if (!isTimed || !isClaim(text)) return counted(text, params);
  for (let quiet = 0; quiet < 2; quiet = running === 0 ? quiet + 1 : 0) await delay(1);
  const startedMs = performance.now();
  const rows = await database.query(text, params);
  if (rows.length >= FULL_CLAIM) claims.push(performance.now() - startedMs);
  return rows;
}

serveCalls({
  async open({ databaseUrl }) {
    database = await openDatabase(databaseUrl);
    dispatcher = createDispatcher({
      ...DISPATCHER_OPTIONS,
      database: { ...database, query: timed },
      destinations: [nothing],
    });
    await dispatcher.migrate();
    for (let index = 0; index < TENANTS; index += 1) {
      await dispatcher.endpoints.create({
        tenantId: tenantOf(index),
        destination: nothing.id,
        target: {},
        events: ["ticket.*"],
      });
    }
  },
  /** Publishes so many while no worker runs, has them claimed, and answers what each full claim took, in milliseconds. */
  async claimAll(count, { times = true } = {}) {
    isTimed = times;
    for (let left = count; left > 0; left -= FILL_BATCH) {
      const events = Array.from({ length: Math.min(left, FILL_BATCH) }, nextEvent);
      await dispatcher.publishMany(
        events.map(({ origin, data }) => ({
          tenantId: tenantOf(origin),
          type: EVENT_TYPE,
          data: { number: data.number },
        })),
      );
    }
    claims = [];
    done = 0;
    await dispatcher.start();
    await until(() => done >= count, { what: `${count} deliveries are done`, everyMs: 5 });
    await dispatcher.stop();
    return claims;
  },
  close: () => database.close(),
});
