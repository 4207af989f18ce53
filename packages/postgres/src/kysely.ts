import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
  type TransactionSettings,
} from "kysely";
import type { Database, DatabaseTransaction } from "./database.js";
import { DatabaseError } from "./errors.js";
import { quoteIdentifier } from "./identifier.js";
import { SCOPES, type TransactionScope, type TransactionScopes } from "./transaction-scope.js";

/**
 * Kysely on a {@link Database}, or on one of its transactions, for typed ordinary queries. Destroying it leaves the
 * database open. Results cannot be streamed; JSON is passed as text.
 *
 * @example
 * const kysely = createKysely<Tables>(database).withSchema("hookline");
 * await kysely.selectFrom("contacts").selectAll().execute();
 *
 * // In one transaction with what else belongs together:
 * await database.transaction(async (transaction) => {
 *   await createKysely<Tables>(transaction).insertInto("contacts").values(contact).execute();
 *   await outbox.publish(event, { transaction });
 * });
 */
export function createKysely<Tables>(on: Database | DatabaseTransaction): Kysely<Tables> {
  scopesOf(on)?.prepareToEnter();
  return new Kysely<Tables>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => createDriver(on),
      createIntrospector: (kysely) => new PostgresIntrospector(kysely),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
}

interface Connection extends DatabaseConnection {
  running: RunningTransaction | undefined;
}

interface RunningTransaction {
  readonly transaction: DatabaseTransaction;
  /** Commits, or rolls back when given a reason. */
  end(reason?: Error): Promise<void>;
}

function createDriver(on: Database | DatabaseTransaction): Driver {
  const savepoint = (command: string) => async (connection: DatabaseConnection, name: string) => {
    await (connection as Connection).executeQuery(CompiledQuery.raw(`${command} ${quoteIdentifier(name)}`));
  };
  return {
    init: async () => {},
    destroy: async () => {},
    acquireConnection: async () => createConnection(on),
    releaseConnection: async () => {},
    beginTransaction(connection, settings) {
      // Called at once and not after an await: what it enters has to hold in the caller's context.
      return begin(on, settings, connection as Connection);
    },
    async commitTransaction(connection) {
      await endOf(connection as Connection)?.();
    },
    async rollbackTransaction(connection) {
      const rollback = new Error("rolled back");
      await endOf(connection as Connection)?.(rollback).catch((error: unknown) => {
        if (error !== rollback) throw error;
      });
    },
    savepoint: savepoint("savepoint"),
    rollbackToSavepoint: savepoint("rollback to"),
    releaseSavepoint: savepoint("release"),
  };
}

function endOf(connection: Connection): RunningTransaction["end"] | undefined {
  const { running } = connection;
  connection.running = undefined;
  return running?.end;
}

function createConnection(on: Database | DatabaseTransaction): Connection {
  const connection: Connection = {
    running: undefined,
    async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
      const target = connection.running?.transaction ?? on;
      const { rows, rowCount, command } = await target.execute<Row>(sql, parameters);
      const changes = command === "INSERT" || command === "UPDATE" || command === "DELETE" || command === "MERGE";
      return { rows: [...rows], ...(changes ? { numAffectedRows: BigInt(rowCount) } : {}) };
    },
    // biome-ignore lint/correctness/useYield: there is nothing to yield
    async *streamQuery() {
      throw new DatabaseError("query_failed", "Results cannot be streamed.");
    },
  };
  return connection;
}

function begin(on: Database | DatabaseTransaction, settings: TransactionSettings, connection: Connection) {
  if (!("transaction" in on)) {
    throw new DatabaseError("nested_query", "A transaction is running already; it has no transactions inside.");
  }
  let finish: (reason?: Error) => void = () => {};
  const finished = new Promise<void>((resolve, reject) => {
    finish = (reason) => (reason ? reject(reason) : resolve());
  });
  let scope: TransactionScope | undefined;
  const begun = new Promise<void>((resolve, reject) => {
    const done = on.transaction(async (transaction) => {
      connection.running = {
        transaction,
        async end(reason) {
          scope?.close();
          finish(reason);
          await done;
        },
      };
      for (const statement of settingsOf(settings)) await transaction.query(statement);
      resolve();
      await finished;
    });
    done.catch(reject);
  });
  scope = scopesOf(on)?.enter();
  begun.catch(() => scope?.close());
  return begun;
}

function scopesOf(on: Database | DatabaseTransaction): TransactionScopes | undefined {
  return (on as Partial<{ readonly [SCOPES]: TransactionScopes }>)[SCOPES];
}

function settingsOf({ isolationLevel, accessMode }: TransactionSettings): string[] {
  return [
    ...(isolationLevel ? [`set transaction isolation level ${isolationLevel}`] : []),
    ...(accessMode ? [`set transaction ${accessMode}`] : []),
  ];
}
