export {
  createTestDatabase,
  describeMatrix,
  type TestDatabase,
  type TestDatabases,
  type TestFunctions,
} from "./describe-matrix.js";
export { findPostgres, findPostgresBinaries, type PostgresSource } from "./environment.js";
export { type PrivatePostgres, type PrivatePostgresOptions, startPrivatePostgres } from "./private-postgres.js";
export { provideTestPostgres } from "./provide-test-postgres.js";
