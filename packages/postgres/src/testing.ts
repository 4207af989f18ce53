export {
  createTestDatabase,
  describeMatrix,
  type TestDatabase,
  type TestDatabases,
  type TestFunctions,
} from "./testing/describe-matrix.js";
export { findPostgres, findPostgresBinaries, type PostgresSource } from "./testing/environment.js";
export { type PrivatePostgres, type PrivatePostgresOptions, startPrivatePostgres } from "./testing/private-postgres.js";
export { provideTestPostgres } from "./testing/provide-test-postgres.js";
