// Whether endpoints that answer suffer from endpoints that do not: 1,000 endpoints at as many origins, of which 50 never
// answer and have more waiting than fits into memory.
import { startProgram } from "./deliveries/program.mjs";
import { delay, median, percentile, shuffled, until } from "./deliveries/sample.mjs";
import { startPostgres, startReceiver } from "./deliveries/services.mjs";
import { versionsOf } from "./deliveries/versions.mjs";

const FULL = { rounds: 3, endpoints: 1_000, hanging: 50, warmUpMs: 3_000, measureMs: 4_000, rateMs: 5_000 };
const QUICK = { rounds: 1, endpoints: 1_000, hanging: 50, warmUpMs: 2_000, measureMs: 2_000, rateMs: 3_000 };
/** Of each endpoint that hangs, before the others begin. */
const WAITING_PER_HANGING = 80;
const WINDOW = 512;
const PER_SECOND = 200;

export default async function bench({ quick }) {
  const size = quick ? QUICK : FULL;
  const [postgres, { receiver, target, close }] = await Promise.all([startPostgres(), startReceiver()]);
  try {
    const samples = { without: [], with: [] };
    for (let round = 0; round < size.rounds; round += 1) {
      for (const way of shuffled(Object.keys(samples))) {
        const name = `${way}_${round}`;
        const databaseUrl = await postgres.createDatabase(name);
        const crowd = crowdOf(target, { endpoints: size.endpoints, hanging: way === "with" ? size.hanging : 0 });
        samples[way].push(
          await measure({ size, receiver, options: { name: "hookline", prefix: name, databaseUrl, target: crowd } }),
        );
      }
    }
    const ratio = (figure) => median(samples.with.map((one, round) => one[figure] / samples.without[round][figure]));
    return {
      checks: [
        { what: "deliveries a second while 50 hang, of those without", measured: ratio("perSecond"), atLeast: 0.9 },
        { what: "p95 from publish to receipt while 50 hang, of that without", measured: ratio("p95Ms"), atMost: 1.2 },
      ],
      figures: {
        "Endpoints that answer, beside 50 of 1,000 that hang": Object.entries(samples).map(([way, rounds]) => ({
          what: `${way} hanging ones`,
          "deliveries a second": Math.round(median(rounds.map(({ perSecond }) => perSecond))),
          [`p95 at ${PER_SECOND} a second, ms`]: Number(median(rounds.map(({ p95Ms }) => p95Ms)).toFixed(2)),
        })),
      },
      versions: { ...versionsOf(["undici", "pg"]), postgres: postgres.version },
    };
  } finally {
    await Promise.all([close(), postgres.close()]);
  }
}

/** Each endpoint at a host of its own; the last ones hang. */
function crowdOf({ secret, urls: [url] }, { endpoints, hanging }) {
  const { port } = new URL(url);
  const pathOf = (index) => (index < endpoints - hanging ? "/webhooks" : "/hang");
  return {
    secret,
    hanging,
    urls: Array.from(
      { length: endpoints },
      (_, index) => `http://receiver-${index + 1}.bench.test:${port}${pathOf(index)}`,
    ),
  };
}

async function measure({ size, receiver, options }) {
  const sender = startProgram("./sender.program.mjs");
  await sender.call("open", options);
  await sender.call("start");
  if (options.target.hanging > 0) await sender.call("fillHanging", WAITING_PER_HANGING);
  await receiver.call("reset", { notesArrivals: true });
  const stopNews = receiver.onNews(({ received }) => sender.tell("received", received));
  await sender.call("publishSteadily", WINDOW);
  await delay(size.warmUpMs);
  const before = await receiver.call("count");
  await delay(size.measureMs);
  const after = await receiver.call("count");
  const total = await sender.call("stopPublishing");
  await until(async () => (await receiver.call("count")).received >= total, { what: "all have arrived that can" });
  stopNews();
  const p95Ms = await rate({ size, receiver, sender });
  // Attempts that hang are not waited for: the database goes with the run.
  sender.kill();
  return { perSecond: (1000 * (after.received - before.received)) / (after.atMs - before.atMs), p95Ms };
}

async function rate({ size, receiver, sender }) {
  await receiver.call("reset", { notesArrivals: true });
  const published = await sender.call("publishAtRate", { perSecond: PER_SECOND, durationMs: size.rateMs });
  await until(async () => (await receiver.call("count")).received >= published.length, {
    what: "all have arrived that can",
  });
  const arrivals = new Map(await receiver.call("arrivals"));
  return percentile(
    published.map(([id, at]) => (arrivals.get(id) - at) / 1e6),
    0.95,
  );
}
