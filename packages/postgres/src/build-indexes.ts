import type { AsyncResource } from "node:async_hooks";
import { setTimeout as delay } from "node:timers/promises";
import type { SqlQuery } from "@hookline/core";
import type { Database, DatabaseTransaction } from "./database.js";
import { DatabaseError, isDatabaseError } from "./errors.js";

/** An index that is built without holding up those who write to its table. */
export interface IndexDefinition {
  /** Unique in its schema: lower-case letters, digits and `_`. Never stands for another definition later. */
  readonly name: string;
  /** The table, in the schema of the migration. */
  readonly table: string;
  /** What follows the table in SQL, such as `(tenant_id, id) where ended_at is null`. */
  readonly definition: string;
  readonly unique?: boolean;
}

/** How long the builder waits for a second connection before it says that there is none. */
const SECOND_CONNECTION_MS = 15_000;
/** Between looks at what another process is building. */
const LOOK_AGAIN_MS = 100;
/** A build that lost against another one in Postgres's deadlock detection is begun again so often. */
const MAX_DEADLOCKS = 3;

/**
 * Makes what is missing of some indexes while `lock` is a transaction that keeps other builders out. A table that has
 * rows is indexed concurrently on another connection, so that its writers go on; an index that a crash left invalid is
 * dropped first.
 */
export async function buildIndexes(
  database: Database,
  build: {
    /** Holds the builders' lock; its last statement had no parameters, so that it holds no snapshot, which the build would wait for. */
    readonly lock: DatabaseTransaction;
    readonly schema: string;
    readonly indexes: readonly IndexDefinition[];
    /** Made outside of the transaction: what runs in it may use the database. */
    readonly outside: AsyncResource;
  },
): Promise<void> {
  const { lock, schema, indexes, outside } = build;
  const query: SqlQuery = (text, params) => outside.runInAsyncScope(() => database.query(text, params));
  const written: IndexDefinition[] = [];
  for (const index of indexes) {
    if (await isWritten(lock, `${schema}.${index.table}`, database.kind)) written.push(index);
  }
  if (written.length > 0) await requireAnswer(query("select 1"));
  for (const index of written) await buildConcurrently(query, schema, index);
  // Last: from here to the commit nobody can write to these tables.
  for (const index of indexes) {
    if (!written.includes(index)) await lock.query(createIndex(index, schema, "if not exists"));
  }
}

async function buildConcurrently(query: SqlQuery, schema: string, index: IndexDefinition): Promise<void> {
  for (let deadlocks = 0; ; deadlocks++) {
    const state = await settledState(query, `${schema}.${index.name}`);
    if (state === "valid") return;
    try {
      if (state === "invalid") await query(`drop index concurrently if exists ${schema}.${index.name}`);
      await query(createIndex(index, schema, "concurrently if not exists"));
      return;
    } catch (error) {
      const isDeadlock = isDatabaseError(error) && error.sqlState === "40P01";
      if (!isDeadlock || deadlocks >= MAX_DEADLOCKS) throw error;
    }
  }
}

function createIndex(index: IndexDefinition, schema: string, how: string): string {
  return `create ${index.unique ? "unique " : ""}index ${how} ${index.name} on ${schema}.${index.table} ${index.definition}`;
}

/**
 * PGlite has one connection, so that nobody writes meanwhile; and a table without a page has nothing to read. Asked
 * without a parameter: a statement with one leaves a portal open, whose snapshot would stay until the next statement.
 */
async function isWritten(lock: DatabaseTransaction, table: string, kind: Database["kind"]): Promise<boolean> {
  if (kind === "pglite") return false;
  const [found] = await lock.query<{ written: boolean }>(`select pg_relation_size('${table}') > 0 as written`);
  return found?.written === true;
}

/**
 * A process that was killed leaves a server that goes on building for it: that is waited for. Asked outside of the
 * lock's transaction, in which the server would answer with the same progress again and again.
 */
async function settledState(query: SqlQuery, index: string): Promise<"missing" | "valid" | "invalid"> {
  for (;;) {
    const [found] = await query<{ valid: boolean; building: boolean }>(
      `select indisvalid as valid,
         exists (select from pg_stat_progress_create_index where index_relid = indexrelid) as building
       from pg_index where indexrelid = to_regclass($1)`,
      [index],
    );
    if (!found) return "missing";
    if (found.valid) return "valid";
    if (!found.building) return "invalid";
    await delay(LOOK_AGAIN_MS);
  }
}

async function requireAnswer(asked: Promise<unknown>): Promise<void> {
  const limit = new AbortController();
  const tooLong = delay(SECOND_CONNECTION_MS, undefined, { signal: limit.signal }).then(() => {
    throw new DatabaseError(
      "migration_failed",
      "An index over existing rows is built on a second connection, and the pool has given none: let it hold two.",
    );
  });
  try {
    await Promise.race([asked, tooLong]);
  } finally {
    limit.abort();
    await tooLong.catch(() => undefined);
  }
}
