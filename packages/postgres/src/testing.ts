export {
  createTestDatabase,
  describeMatrix,
  type TestDatabase,
  type TestDatabases,
  type TestFunctions,
} from "./testing/describe-matrix.js";
export { findPostgres, findPostgresBinaries, type PostgresSource } from "./testing/environment.js";
export { openTestPglite } from "./testing/open-test-pglite.js";
export { createPgliteDirectory } from "./testing/pglite-snapshot.js";
export { type PrivatePostgres, type PrivatePostgresOptions, startPrivatePostgres } from "./testing/private-postgres.js";
export { provideTestPostgres } from "./testing/provide-test-postgres.js";
