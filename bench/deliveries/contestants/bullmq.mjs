// BullMQ: a job for each delivery, its result in Postgres before the job counts as done.
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import pg from "pg";
import { createPoster, createResults } from "../peer-delivery.mjs";

const QUEUE = "deliveries";
/** As many as the ceiling has requests in flight. */
const CONCURRENCY = 64;
const JOB_OPTIONS = {
  attempts: 10,
  backoff: { type: "exponential", delay: 5_000, jitter: 0.1 },
  removeOnComplete: true,
  removeOnFail: 1_000,
};

/** @type {import("../sender.program.mjs").ContestantFactory} */
export async function createContestant({ databaseUrl, redisUrl, target, areGathered }) {
  const pool = new pg.Pool({ connectionString: databaseUrl });
  const results = await createResults(pool, { areGathered });
  const poster = createPoster(target);
  const [publishing, working] = [new Redis(redisUrl), new Redis(redisUrl, { maxRetriesPerRequest: null })];
  const queue = new Queue(QUEUE, { connection: publishing, defaultJobOptions: JOB_OPTIONS });
  await queue.waitUntilReady();
  let worker = null;
  return {
    async start() {
      worker = new Worker(QUEUE, async ({ data }) => results.record(await poster.post(data)), {
        connection: working,
        concurrency: CONCURRENCY,
      });
      worker.on("error", (error) => process.stderr.write(`${error.stack}\n`));
      await worker.waitUntilReady();
    },
    stop: async () => worker?.close(),
    async publish(event) {
      await queue.add("delivery", event);
      return event.id;
    },
    publishMany: (events) => queue.addBulk(events.map((data) => ({ name: "delivery", data }))),
    recorded: results.count,
    async close() {
      await queue.close();
      for (const redis of [publishing, working]) redis.disconnect();
      await poster.close();
      await pool.end();
    },
  };
}
