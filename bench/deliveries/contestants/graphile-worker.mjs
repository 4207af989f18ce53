// graphile-worker: a job for each delivery, with its local queue and its batches of completions, as its documentation
// advises for many small jobs.
import { Logger, makeWorkerUtils, run } from "graphile-worker";
import pg from "pg";
import { createPoster, createResults } from "../peer-delivery.mjs";

const TASK = "deliver";
const PRESET = {
  worker: {
    concurrentJobs: 64,
    maxPoolSize: 20,
    localQueue: { size: 500 },
    completeJobBatchDelay: 0,
    failJobBatchDelay: 0,
  },
};

function complain(error) {
  process.stderr.write(`${error.stack}\n`);
}

/** @type {import("../sender.program.mjs").ContestantFactory} */
export async function createContestant({ databaseUrl, target, areGathered }) {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 20 });
  pool.on("error", complain);
  pool.on("connect", (client) => client.on("error", complain));
  const results = await createResults(pool, { areGathered });
  const poster = createPoster(target);
  const logger = new Logger(() => () => undefined);
  const utils = await makeWorkerUtils({ pgPool: pool, logger });
  await utils.migrate();
  let runner = null;
  return {
    async start() {
      runner = await run({
        preset: PRESET,
        pgPool: pool,
        noHandleSignals: true,
        logger,
        taskList: { [TASK]: async (event) => results.record(await poster.post(event)) },
      });
    },
    stop: async () => runner?.stop(),
    async publish(event) {
      await utils.addJob(TASK, event, { maxAttempts: 10 });
      return event.id;
    },
    publishMany: (events) => utils.addJobs(events.map((payload) => ({ identifier: TASK, payload, maxAttempts: 10 }))),
    recorded: results.count,
    async close() {
      await utils.release();
      await poster.close();
      await pool.end();
    },
  };
}
