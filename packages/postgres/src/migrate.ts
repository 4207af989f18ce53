import { AsyncResource } from "node:async_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { type Logger, silentLogger, type Transaction } from "@hookline/core";
import { buildIndexes, type IndexDefinition } from "./build-indexes.js";
import type { Database, DatabaseTransaction } from "./database.js";
import { DatabaseError, isDatabaseError } from "./errors.js";
import { checkSchemaName } from "./identifier.js";
import { isMixedUp } from "./pg/prepared-names.js";

/** One step forward. There is no step back: a later migration repairs an earlier one. */
export type Migration = TransactionMigration | IndexMigration;

/** A step that is made in a transaction of its own. */
export interface TransactionMigration {
  /** Never changes once released, such as `0001-events`. */
  readonly id: string;
  /** Makes its changes in the given transaction; `schema` can stand in SQL without quotes. */
  up(transaction: Transaction, schema: string): Promise<void>;
}

/**
 * A step that makes indexes, outside a transaction where their table has rows: on a server they are built
 * `concurrently`, so that writers go on. It can be begun again after a crash: what is there and valid stays, an invalid
 * index is dropped and made again.
 */
export interface IndexMigration {
  /** Never changes once released, such as `0002-event-indexes`. */
  readonly id: string;
  readonly indexes: readonly IndexDefinition[];
}

/** Options of {@link migrate}. */
export interface MigrateOptions {
  /** The Postgres schema, made when absent: lower-case letters, digits and `_`. */
  readonly schema: string;
  /** Whose migrations these are; each component has its own order. */
  readonly component: string;
  readonly migrations: readonly Migration[];
  readonly logger?: Logger;
}

/** How often a process asks whether another one has built its indexes. */
const BUSY_MS = 100;
/** Whoever had to wait for the lock has to see what was applied meanwhile, whatever is the role's default. */
const SEES_COMMITS = "set transaction isolation level read committed";

/**
 * Applies what is missing, each migration in a transaction of its own (see {@link IndexMigration} for the other kind),
 * and answers the ids that this call applied. Processes that start at once take turns, so each migration runs once.
 *
 * A database that is ahead of the list (a newer release has run) is left as it is, so that an older process can start
 * beside a newer one.
 *
 * @throws DatabaseError `migration_failed` when a migration throws (it is rolled back, the ones before it stay), or when
 * what was applied is not the beginning of the list; `invalid_schema`
 */
export async function migrate(database: Database, options: MigrateOptions): Promise<readonly string[]> {
  const { component, migrations, logger = silentLogger } = options;
  const schema = checkSchemaName(options.schema);
  assertUnique(component, migrations);
  const step: Step = { schema, component, migrations };
  const applied: string[] = [];
  for (;;) {
    let next = await onceMore(() => database.transaction((transaction) => applyNext(transaction, step)));
    if (next === undefined) return applied;
    if ("indexes" in next) {
      const built = next;
      next = await onceMore(() => applyIndexes(database, step, built));
    }
    if (next === undefined) continue;
    logger.info({ schema, component, migration: next.id }, "applied a migration");
    applied.push(next.id);
  }
}

/** A pooler that mixes prepared statements up is found out by one that fails; after that nothing is prepared. */
async function onceMore<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!isMixedUp(error)) throw error;
    return run();
  }
}

interface Step {
  readonly schema: string;
  readonly component: string;
  readonly migrations: readonly Migration[];
}

/** Answers the migration that it applied, or the indexes that are to be built now. */
async function applyNext(transaction: DatabaseTransaction, step: Step): Promise<Migration | undefined> {
  const { schema, component } = step;
  await transaction.query(SEES_COMMITS);
  await transaction.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [`hookline migrations ${schema}`]);
  await ensureTable(transaction, schema);
  const position = await nextPosition(transaction, step);
  const next = step.migrations[position - 1];
  if (!next || "indexes" in next) return next;
  try {
    await next.up(transaction, schema);
  } catch (error) {
    throw failed(error, component, next);
  }
  await keep(transaction, step, position);
  return next;
}

/**
 * Builds indexes under a lock of their own, which is tried and never waited for inside Postgres: whoever waits there
 * holds a snapshot, and a concurrent build waits for all of these. Answers undefined when another process has done it.
 */
async function applyIndexes(
  database: Database,
  step: Step,
  migration: IndexMigration,
): Promise<IndexMigration | undefined> {
  const { schema, component, migrations } = step;
  const outside = new AsyncResource("hookline.migrate");
  const attempt = () =>
    database.transaction(async (lock): Promise<"built" | "done" | "busy"> => {
      await lock.query(SEES_COMMITS);
      const [taken] = await lock.query<{ taken: boolean }>(
        "select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as taken",
        [`hookline indexes ${schema}`],
      );
      if (!taken?.taken) return "busy";
      const position = await nextPosition(lock, step);
      if (migrations[position - 1] !== migration) return "done";
      // The build may take longer than the server lets a transaction idle. Without parameters, as buildIndexes asks.
      await lock.query("set local idle_in_transaction_session_timeout = 0");
      try {
        await buildIndexes(database, { lock, schema, indexes: migration.indexes, outside });
      } catch (error) {
        throw failed(error, component, migration);
      }
      await keep(lock, step, position);
      return "built";
    });
  for (;;) {
    const outcome = await attempt();
    if (outcome !== "busy") return outcome === "built" ? migration : undefined;
    await delay(BUSY_MS);
  }
}

/** The position of what comes next, 1 for the first; the history up to there is the list's. */
async function nextPosition(transaction: DatabaseTransaction, step: Step): Promise<number> {
  const { schema, component, migrations } = step;
  const rows = await transaction.query<{ id: string }>(
    `select id from ${schema}.migrations where component = $1 order by position`,
    [component],
  );
  assertSameHistory(component, { known: migrations, applied: rows.map((row) => row.id) });
  return rows.length + 1;
}

async function keep(transaction: DatabaseTransaction, step: Step, position: number): Promise<void> {
  await transaction.query(`insert into ${step.schema}.migrations (component, position, id) values ($1, $2, $3)`, [
    step.component,
    position,
    step.migrations[position - 1]?.id,
  ]);
}

function failed(error: unknown, component: string, { id }: Migration): DatabaseError {
  return new DatabaseError("migration_failed", `Migration ${id} of ${component} failed: ${messageOf(error)}`, {
    cause: error,
    sqlState: isDatabaseError(error) ? error.sqlState : undefined,
  });
}

// Asked first and made only when missing: an application's role may lack the right to create schemas.
async function ensureTable(transaction: DatabaseTransaction, schema: string): Promise<void> {
  const [found] = await transaction.query<{ schema: string | null; table: string | null }>(
    "select to_regnamespace($1)::text as schema, to_regclass($2)::text as table",
    [schema, `${schema}.migrations`],
  );
  if (!found?.schema) await transaction.query(`create schema if not exists ${schema}`);
  if (found?.table) return;
  await transaction.query(`
    create table ${schema}.migrations (
      component text not null,
      position integer not null,
      id text not null,
      applied_at timestamptz not null default now(),
      primary key (component, position),
      unique (component, id)
    )`);
}

function assertUnique(component: string, migrations: readonly Migration[]): void {
  const ids = new Set<string>();
  for (const { id } of migrations) {
    if (ids.has(id)) throw new DatabaseError("migration_failed", `${component} has two migrations named ${id}.`);
    ids.add(id);
  }
}

function assertSameHistory(
  component: string,
  { known, applied }: { readonly known: readonly Migration[]; readonly applied: readonly string[] },
): void {
  for (let index = 0; index < Math.min(known.length, applied.length); index++) {
    if (known[index]?.id === applied[index]) continue;
    throw new DatabaseError(
      "migration_failed",
      `The migrations of ${component} differ from what the database has: number ${index + 1} there is ${applied[index]}, here ${known[index]?.id}. Nothing was changed.`,
    );
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
