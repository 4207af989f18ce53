import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Database, openDatabase } from "@hookline/postgres";
import {
  createPgliteDirectory,
  describeMatrix,
  findPostgresBinaries,
  startPrivatePostgres,
} from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { keepFigures } from "../../../../test/chaos-figures.js";
import { createDispatcher } from "../../src/index.js";
import { TENANT } from "../open-dispatcher.js";
import { CHAOS_DIRECT } from "./chaos-destination.mjs";
import { CHAOS_OPTIONS } from "./chaos-options.js";
import { openChaosReceiver } from "./chaos-receiver.js";
import { drain, type KillingOptions, killProcesses, sleep } from "./chaos-run.js";
import { KILLS, SEED } from "./chaos-size.js";
import { auditLeases } from "./lease-audit.js";
import { judge, type Verdict } from "./oracle.js";
import type { Order } from "./order-kept.js";
import { seededRandom } from "./seeded-random.js";

const MINUTE = 60_000;
const FULL = { timeout: 3 * MINUTE + KILLS * 5_000 };
const LEASE_MS = CHAOS_OPTIONS.leaseMs;

const NO_FAULTS = {
  lost: [],
  vanished: [],
  fromRolledBack: [],
  invented: [],
  halfCommitted: [],
  unverified: [],
  notRecordedOnce: [],
  inversions: [],
  unfenced: [],
};

interface Plan extends Omit<KillingOptions, "processes" | "random"> {
  readonly name: string;
  readonly url: string;
  readonly ordering: Order["policy"];
  /** While processes are killed; answers when the database was killed meanwhile. */
  readonly killDatabase?: (random: () => number, isOver: () => boolean) => Promise<readonly number[]>;
}

const PLAN = { ordering: "block", sideBySide: 2, pauseMs: 0 } as const satisfies Partial<Plan>;

/** Kills processes while they publish and deliver, lets a living one finish, and asks the oracle. */
async function chaos({ name, url, ordering, killDatabase, ...killing }: Plan): Promise<Verdict> {
  process.stdout.write(`chaos on ${name}: CHAOS_SEED=${SEED} CHAOS_KILLS=${killing.kills}\n`);
  const startedAtMs = performance.now();
  // Runs on one database keep apart.
  const schema = `chaos_${ordering}`;
  const random = seededRandom(SEED);
  const everything = await openChaosReceiver(random, true);
  const odd = await openChaosReceiver(random, true);
  const direct = await openChaosReceiver(random, false);
  const options = { ...CHAOS_OPTIONS, destinations: [CHAOS_DIRECT] };
  const endpointIds: string[] = [];
  await withDatabase(url, async (database) => {
    const dispatcher = createDispatcher({ ...CHAOS_OPTIONS, database, schema });
    await dispatcher.migrate();
    await database.query(`create table ${schema}.orders (n int8)`);
    await auditLeases(database, schema);
    for (const [receiver, pattern] of [
      [everything, "*"],
      [odd, "chaos.odd"],
    ] as const) {
      const target = { url: receiver.url };
      const endpoint = { tenantId: TENANT, target, events: [pattern], policy: { ordering } };
      const { id, secret } = await dispatcher.endpoints.create(endpoint);
      receiver.useSecret(secret ?? "");
      endpointIds.push(id);
    }
  });
  let isOver = false;
  const [processes, databaseKilledAtMs] = await Promise.all([
    killProcesses({
      ...killing,
      processes: { url, schema, directUrl: direct.url, isDatabaseKilled: killDatabase !== undefined },
      random,
    }).finally(() => {
      isOver = true;
    }),
    killDatabase?.(seededRandom(SEED + 1), () => isOver) ?? [],
  ]);
  const verdict = await withDatabase(url, async (database) => {
    await drain(createDispatcher({ ...options, database, schema }));
    const [ofAll = "", ofOdd = ""] = endpointIds;
    const recipients = [
      { endpointId: ofAll, wants: () => true, receptions: everything.receptions },
      { endpointId: ofOdd, wants: (n: number) => n % 2 === 1, receptions: odd.receptions },
      { endpointId: null, wants: () => true, receptions: direct.receptions },
    ];
    return judge({ database, schema, recipients, processes, databaseKilledAtMs, ordering });
  });
  keepFigures(`dispatcher on ${name}`, {
    seed: SEED,
    kills: processes.length,
    databaseKills: databaseKilledAtMs.length,
    events: verdict.events,
    sends: verdict.sends,
    rolledBack: verdict.rolledBack,
    requests: verdict.requests,
    duplicates: { ...verdict.duplicates, unexplained: verdict.duplicates.unexplained.length },
    lateRepeats: verdict.lateRepeats,
    faults: Object.fromEntries(Object.entries(verdict.faults).map(([fault, list]) => [fault, list.length])),
    seconds: Math.round((performance.now() - startedAtMs) / 1000),
  });
  return verdict;
}

async function withDatabase<T>(url: string, work: (database: Database) => Promise<T>): Promise<T> {
  const database = await openDatabase(url);
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

describeMatrix({ describe, beforeAll, afterAll }, ["postgres"], (databases) => {
  it(
    `N1 N5 loses nothing, invents nothing, turns no order round and explains each duplicate over ${KILLS} kills`,
    FULL,
    async () => {
      const { url = "" } = await databases.open();
      expectNoFault(await chaos({ ...PLAN, name: "postgres", url, kills: KILLS, pauseMs: LEASE_MS + 200 }));
    },
  );

  const killsOfSkip = Math.ceil(KILLS / 4);

  it(
    `N1 N5 loses nothing and lets nothing pass, under skip, what was not tried, over ${killsOfSkip} kills`,
    FULL,
    async () => {
      const { url = "" } = await databases.open();
      const plan = { ...PLAN, ordering: "skip", kills: killsOfSkip, pauseMs: LEASE_MS + 200 } as const;
      expectNoFault(await chaos({ ...plan, name: "postgres under skip", url }), plan.ordering);
    },
  );
});

const binaries = findPostgresBinaries();
describe.skipIf(binaries === undefined && process.env.CI !== "true")(
  "a server that is killed too (needs initdb and postgres)",
  () => {
    const kills = Math.ceil(KILLS / 4);

    it(
      `N1 N5 loses nothing and turns no order round over ${kills} kills of its clients and some of its own`,
      FULL,
      async () => {
        const server = await startPrivatePostgres({ fsync: true });
        onTestFinished(() => server.stop());
        const killedAtMs: number[] = [];
        const killDatabase: Plan["killDatabase"] = async (random, isOver) => {
          while (!isOver()) {
            await sleep(500 + random() * 2_000);
            await server.kill();
            killedAtMs.push(Date.now());
            await server.restart();
          }
          return killedAtMs;
        };
        const plan = {
          name: "postgres that is killed too",
          url: server.url,
          kills,
          killDatabase,
        };
        expectNoFault(await chaos({ ...PLAN, ...plan }));
        expect(killedAtMs.length).toBeGreaterThan(0);
      },
    );
  },
);

describe("the embedded database", () => {
  const kills = Math.ceil(KILLS / 8);

  it(
    `N1 N5 loses nothing and turns no order round over ${kills} kills of its process, and lets no second process in`,
    FULL,
    async () => {
      const directory = await mkdtemp(join(tmpdir(), "hookline-chaos-"));
      onTestFinished(() => rm(directory, { recursive: true, force: true }));
      await createPgliteDirectory(join(directory, "data"));
      const url = `pglite://${directory}/data`;
      const refusals: unknown[] = [];
      const verdict = await chaos({
        ...PLAN,
        name: "pglite",
        url,
        kills,
        sideBySide: 1,
        async beforeKill() {
          refusals.push(
            await openDatabase(url).then(
              () => "opened",
              ({ code }) => code,
            ),
          );
        },
      });
      expectNoFault(verdict);
      expect(refusals.length).toBeGreaterThan(0);
      expect(new Set(refusals)).toEqual(new Set(["directory_locked"]));
    },
  );
});

function expectNoFault(
  { faults, duplicates, lateRepeats, events, sends, rolledBack }: Verdict,
  ordering: Order["policy"] = PLAN.ordering,
): void {
  expect(faults, `CHAOS_SEED=${SEED}`).toEqual(NO_FAULTS);
  expect(duplicates.unexplained, `CHAOS_SEED=${SEED}`).toEqual([]);
  // Under skip, what was not answered in time lets the next ones pass as well.
  const explained = duplicates.leaseRanOut + (ordering === "skip" ? duplicates.unanswered : 0);
  expect(lateRepeats, `CHAOS_SEED=${SEED}`).toBeLessThanOrEqual(explained);
  expect(events).toBeGreaterThan(0);
  expect(sends).toBeGreaterThan(0);
  expect(rolledBack).toBeGreaterThan(0);
}
