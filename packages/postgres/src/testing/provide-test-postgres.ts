import { announcePostgres, findPostgres } from "./environment.js";
import { startPrivatePostgres } from "./private-postgres.js";

/**
 * For vitest's global setup: where `DATABASE_URL` is absent and the binaries are there, starts one private server for
 * the whole run, which {@link describeMatrix} then finds. The answer stops it.
 *
 * @example
 * // test/global-setup.ts, named in vitest.config.ts as globalSetup
 * export { provideTestPostgres as default } from "@hookline/postgres/testing";
 */
export async function provideTestPostgres(): Promise<() => Promise<void>> {
  if (findPostgres().kind !== "binaries") return async () => {};
  const server = await startPrivatePostgres();
  const withdraw = announcePostgres(server.url);
  return async () => {
    withdraw();
    await server.stop();
  };
}
