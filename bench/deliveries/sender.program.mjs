// Runs one contestant in a process of its own and publishes for it.
import { createEventSource } from "./events.mjs";
import { serveCalls } from "./program.mjs";
import { delay } from "./sample.mjs";

/**
 * @typedef {object} Contestant
 * @property {() => Promise<void>} start begins to deliver
 * @property {() => Promise<unknown>} stop
 * @property {(event: import("./events.mjs").BenchEvent) => Promise<string>} [publish] resolves when it is durable, with
 *   the id that its webhook has
 * @property {(events: readonly import("./events.mjs").BenchEvent[]) => Promise<unknown>} [publishMany]
 * @property {() => Promise<number>} recorded how many deliveries are written down as done, ever
 * @property {() => Promise<unknown>} close
 *
 * @typedef {object} ContestantOptions
 * @property {string} prefix of event ids; no other process has it
 * @property {string} databaseUrl
 * @property {string} [redisUrl]
 * @property {import("./services.mjs").Target} target
 * @property {boolean} [areGathered] results that come up together share one insert; for peers
 *
 * @typedef {(options: ContestantOptions) => Promise<Contestant>} ContestantFactory
 */

/** Publishes that run at the same time, as the requests of an API do. */
const CALLERS = 64;
const FILL_BATCH = 500;

/** @type {Contestant} */
let contestant;
let nextEvent;
let origins = 0;
let hangsFrom = Number.POSITIVE_INFINITY;
let received = 0;
let published = 0;
let isPublishing = false;
let callers = [];
let wakers = [];

function wake() {
  const woken = wakers;
  wakers = [];
  for (const resolve of woken) resolve();
}

/** Publishes one after another, but not while too many deliveries are under way. */
async function publishOn(window) {
  while (isPublishing) {
    if (published - received >= window) {
      await new Promise((resolve) => wakers.push(resolve));
      continue;
    }
    const event = nextEvent();
    if (event.origin < hangsFrom) published += 1;
    await contestant.publish(event);
  }
}

serveCalls({
  async open({ name, ...options }) {
    const { createContestant } = await import(`./contestants/${name}.mjs`);
    contestant = await createContestant(options);
    origins = options.target.urls.length;
    nextEvent = createEventSource(options.prefix, origins);
    if (options.target.hanging > 0) hangsFrom = origins - options.target.hanging;
  },
  start: () => contestant.start(),
  stop: () => contestant.stop(),
  recorded: () => contestant.recorded(),
  async fill(count) {
    for (let left = count; left > 0; left -= FILL_BATCH) {
      const events = Array.from({ length: Math.min(left, FILL_BATCH) }, nextEvent);
      await contestant.publishMany(events);
    }
  },
  /** Publishes so many for each endpoint that does not answer. */
  async fillHanging(count) {
    const events = Array.from({ length: count * origins }, nextEvent);
    await contestant.publishMany(events.filter(({ origin }) => origin >= hangsFrom));
  },
  rssBytes: () => process.memoryUsage.rss(),
  /** @param {number} window deliveries that may be under way. A contestant without a queue needs no publishing. */
  publishSteadily(window) {
    isPublishing = contestant.publish !== undefined;
    callers = Array.from({ length: CALLERS }, () => publishOn(window));
  },
  /**
   * At even distances, whatever became of the earlier ones; answers when each that can arrive was
   * published, in monotonic nanoseconds.
   */
  async publishAtRate({ perSecond, durationMs }) {
    const total = Math.round((perSecond * durationMs) / 1000);
    const startedMs = performance.now();
    const calls = [];
    while (calls.length < total) {
      const dueMs = startedMs + (1000 * calls.length) / perSecond;
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await delay(waitMs);
      const event = nextEvent();
      const at = Number(process.hrtime.bigint());
      calls.push(contestant.publish(event).then((id) => ({ id, at, origin: event.origin })));
    }
    const published = await Promise.all(calls);
    return published.filter(({ origin }) => origin < hangsFrom).map(({ id, at }) => [id, at]);
  },
  /** How many of what this process published have arrived. */
  received(count) {
    received = count;
    wake();
  },
  async stopPublishing() {
    isPublishing = false;
    wake();
    await Promise.all(callers);
    return published;
  },
  async close() {
    await contestant.close();
  },
});
