import { type Logger, silentLogger, type Transaction } from "@hookline/core";
import type { Database, DatabaseTransaction } from "./database.js";
import { DatabaseError, isDatabaseError } from "./errors.js";
import { checkSchemaName } from "./identifier.js";

/** One step forward. There is no step back: a later migration repairs an earlier one. */
export interface Migration {
  /** Never changes once released, such as `0001-events`. */
  readonly id: string;
  /** Makes its changes in the given transaction; `schema` can stand in SQL without quotes. */
  up(transaction: Transaction, schema: string): Promise<void>;
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

/**
 * Applies what is missing, each migration in a transaction of its own, and answers the ids that this call applied.
 * Processes that start at once take turns, so each migration runs once.
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
  const applied: string[] = [];
  for (;;) {
    const id = await database.transaction((transaction) => applyNext(transaction, { schema, component, migrations }));
    if (id === undefined) return applied;
    logger.info({ schema, component, migration: id }, "applied a migration");
    applied.push(id);
  }
}

interface Step {
  readonly schema: string;
  readonly component: string;
  readonly migrations: readonly Migration[];
}

async function applyNext(transaction: DatabaseTransaction, step: Step): Promise<string | undefined> {
  const { schema, component, migrations } = step;
  await transaction.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [`hookline migrations ${schema}`]);
  await ensureTable(transaction, schema);
  const rows = await transaction.query<{ id: string }>(
    `select id from ${schema}.migrations where component = $1 order by position`,
    [component],
  );
  assertSameHistory(component, { known: migrations, applied: rows.map((row) => row.id) });
  const next = migrations[rows.length];
  if (!next) return undefined;
  try {
    await next.up(transaction, schema);
  } catch (error) {
    throw new DatabaseError("migration_failed", `Migration ${next.id} of ${component} failed: ${messageOf(error)}`, {
      cause: error,
      sqlState: isDatabaseError(error) ? error.sqlState : undefined,
    });
  }
  await transaction.query(`insert into ${schema}.migrations (component, position, id) values ($1, $2, $3)`, [
    component,
    rows.length + 1,
    next.id,
  ]);
  return next.id;
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
