// What `publish` adds to a transaction of the application's own: BEGIN, one insert, publish to three endpoints, COMMIT,
// against the same without publish.
import { treeCpuMs } from "./deliveries/process-tree.mjs";
import { startProgram } from "./deliveries/program.mjs";
import { median, shuffled } from "./deliveries/sample.mjs";
import { startPostgres } from "./deliveries/services.mjs";
import { versionsOf } from "./deliveries/versions.mjs";

const FULL = { rounds: 7, warmUpMs: 1_000, measureMs: 2_000 };
const QUICK = { rounds: 2, warmUpMs: 300, measureMs: 700 };
const AT_LEAST = 0.5;

export default async function bench({ quick }) {
  const size = quick ? QUICK : FULL;
  const postgres = await startPostgres();
  const program = startProgram("./transactions.program.mjs");
  try {
    await program.call("open", { databaseUrl: await postgres.createDatabase("application") });
    const samples = { with: [], without: [] };
    const measure = async (way, durationMs) => {
      const cpu = () => ({ node: treeCpuMs(program.pid), postgres: treeCpuMs(postgres.pid) });
      const before = cpu();
      const { count, perSecond } = await program.call("run", way, durationMs);
      const after = cpu();
      const micros = (part) => (1000 * (after[part] - before[part])) / count;
      return { perSecond, node: micros("node"), postgres: micros("postgres") };
    };
    for (const way of Object.keys(samples)) await measure(way, size.warmUpMs);
    for (let round = 0; round < size.rounds; round += 1) {
      for (const way of shuffled(Object.keys(samples))) samples[way].push(await measure(way, size.measureMs));
    }
    await program.call("verify");
    await program.end();
    const ratios = samples.with.map(({ perSecond }, round) => perSecond / samples.without[round].perSecond);
    return {
      checks: [{ what: "transactions with publish, of those without", measured: median(ratios), atLeast: AT_LEAST }],
      figures: {
        "Transactions a second, 16 clients, and microseconds of CPU for one": Object.entries(samples).map(
          ([way, rounds]) => ({
            what: `${way} publish to three endpoints`,
            "a second": Math.round(median(rounds.map(({ perSecond }) => perSecond))),
            "Node, µs": Math.round(median(rounds.map(({ node }) => node))),
            "Postgres, µs": Math.round(median(rounds.map(({ postgres: micros }) => micros))),
          }),
        ),
      },
      versions: { ...versionsOf(["pg"]), postgres: postgres.version },
    };
  } finally {
    await postgres.close();
  }
}
