export type { IndexDefinition } from "./build-indexes.js";
export { type ColumnCipher, type ColumnCipherOptions, createColumnCipher } from "./column-cipher.js";
export type { Database, DatabaseTransaction, ExecuteResult, SqlExecute } from "./database.js";
export { DatabaseError, type DatabaseErrorCode, isDatabaseError } from "./errors.js";
export { createKysely } from "./kysely.js";
export {
  type IndexMigration,
  type MigrateOptions,
  type Migration,
  migrate,
  type TransactionMigration,
} from "./migrate.js";
export { type OpenDatabaseOptions, openDatabase } from "./open-database.js";
export { packColumn, unpackColumns } from "./packed-columns.js";
export { createClientTransactions } from "./pg/client-transactions.js";
export { type FromPoolOptions, fromPool } from "./pg/from-pool.js";
export type { PgClient, PgPool } from "./pg/pool-face.js";
export { type FromPgliteOptions, fromPglite } from "./pglite/from-pglite.js";
export type { OwnPglite, PgliteTransaction } from "./pglite/own-pglite.js";
export { isInsideTransaction } from "./transaction-scope.js";
export {
  type DrizzleSql,
  type DrizzleTransaction,
  fromDrizzleTransaction,
} from "./transactions/from-drizzle-transaction.js";
export { fromKyselyTransaction } from "./transactions/from-kysely-transaction.js";
export { fromPgliteTransaction } from "./transactions/from-pglite-transaction.js";
export { fromPostgresJsTransaction, type PostgresJsTransaction } from "./transactions/from-postgres-js-transaction.js";
