import type { Clock } from "@hookline/core";
import type { Database } from "@hookline/postgres";
import type { Statements } from "./sql/statements.js";

/** How often the queue is vacuumed where no autovacuum runs. */
const VACUUM_MS = 60_000;

/** Vacuums the queue of an embedded database when it is time to; of any other, never. */
export function createQueueVacuum({
  clock,
  database,
  statements,
}: {
  readonly clock: Clock;
  readonly database: Database;
  readonly statements: Statements;
}): () => Promise<void> {
  let vacuumedAtMs = clock.now();

  return async function vacuumIfDue() {
    if (database.kind !== "pglite" || clock.now() - vacuumedAtMs < VACUUM_MS) return;
    vacuumedAtMs = clock.now();
    await statements.vacuumTable(database.query, "queue");
  };
}
