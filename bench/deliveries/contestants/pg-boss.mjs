// pg-boss: a job for each delivery. `work` polls twice a second at most and runs a batch to its end before the next, so
// tuned means loops of our own over its `fetch` and `complete`.
import pg from "pg";
import PgBoss from "pg-boss";
import { createPoster, createResults } from "../peer-delivery.mjs";
import { delay } from "../sample.mjs";

const QUEUE = "deliveries";
const LOOPS = 4;
const BATCH = 64;
/** Between fetches that find nothing. */
const PAUSE_MS = 2;
const JOB_OPTIONS = { retryLimit: 10, retryDelay: 5, retryBackoff: true };

/** @type {import("../sender.program.mjs").ContestantFactory} */
export async function createContestant({ databaseUrl, target, areGathered }) {
  const pool = new pg.Pool({ connectionString: databaseUrl });
  const results = await createResults(pool, { areGathered });
  const poster = createPoster(target);
  const boss = new PgBoss({ connectionString: databaseUrl, max: 20, schedule: false });
  boss.on("error", (error) => process.stderr.write(`${error.stack}\n`));
  await boss.start();
  await boss.createQueue(QUEUE);
  let isStopped = false;
  let loops = [];
  const work = async () => {
    while (!isStopped) {
      const jobs = await boss.fetch(QUEUE, { batchSize: BATCH });
      if (jobs.length === 0) {
        await delay(PAUSE_MS);
        continue;
      }
      await Promise.all(jobs.map(async ({ data }) => results.record(await poster.post(data))));
      await boss.complete(
        QUEUE,
        jobs.map(({ id }) => id),
      );
    }
  };
  return {
    async start() {
      loops = Array.from({ length: LOOPS }, work);
    },
    async stop() {
      isStopped = true;
      await Promise.all(loops);
    },
    async publish(event) {
      await boss.send(QUEUE, event, JOB_OPTIONS);
      return event.id;
    },
    publishMany: (events) => boss.insert(events.map((data) => ({ name: QUEUE, data, ...JOB_OPTIONS }))),
    recorded: results.count,
    async close() {
      await boss.stop({ graceful: false, wait: true });
      await poster.close();
      await pool.end();
    },
  };
}
