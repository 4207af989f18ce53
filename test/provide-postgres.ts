/** One private Postgres server for a whole run, where there is no DATABASE_URL and the binaries are on the machine. */
export { provideTestPostgres as default } from "@hookline/postgres/testing";
