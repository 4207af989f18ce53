import { randomBytes } from "node:crypto";
import type { Database } from "../database.js";
import { openDatabase } from "../open-database.js";
import { findPostgres, isContinuousIntegration, type PostgresSource } from "./environment.js";
import { openTestPglite } from "./open-test-pglite.js";
import { startPrivatePostgres } from "./private-postgres.js";

/** Vitest's functions; handed in, so that nothing here needs vitest. */
export interface TestFunctions {
  readonly describe: ((name: string, suite: () => void) => unknown) & {
    readonly skip: (name: string, suite: () => void) => unknown;
  };
  readonly beforeAll: (hook: () => Promise<void>) => unknown;
  readonly afterAll: (hook: () => Promise<void>) => unknown;
}

/** What a suite gets to make its tests' databases with. */
export interface TestDatabases {
  readonly kind: Database["kind"];
  /** A fresh, empty schema; inside a test or a hook. */
  open(): Promise<TestDatabase>;
}

export interface TestDatabase {
  /** Shared by the suite's tests; closed after the last one (its own `close` does nothing). */
  readonly database: Database;
  /** Exists and is empty. */
  readonly schema: string;
  /** For further pools or processes on the same database; undefined for PGlite, which has one connection. */
  readonly url: string | undefined;
}

/**
 * Runs a suite once for each kind of database. PGlite always runs, in memory. Postgres comes from `DATABASE_URL` (each
 * suite makes a database of its own there), else from binaries on this machine, else the suite is skipped with the
 * reason in its title, or fails when `CI=true`.
 *
 * @example
 * describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
 *   it("stores", async () => {
 *     const { database, schema } = await databases.open();
 *   });
 * });
 */
export function describeMatrix(
  { describe, beforeAll, afterAll }: TestFunctions,
  kinds: readonly Database["kind"][],
  suite: (databases: TestDatabases) => void,
): void {
  for (const kind of kinds) {
    const source = kind === "postgres" ? findPostgres() : undefined;
    if (source?.kind === "none") {
      if (isContinuousIntegration()) throw new Error(`CI needs Postgres for these tests: ${source.reason}.`);
      process.stderr.write(`postgres tests skipped: ${source.reason}\n`);
      describe.skip(`postgres (skipped: ${source.reason})`, () => suite(createSuiteDatabases(kind, source).databases));
      continue;
    }
    describe(kind, () => {
      const { databases, start, stop } = createSuiteDatabases(kind, source);
      beforeAll(start);
      afterAll(stop);
      suite(databases);
    });
  }
}

function createSuiteDatabases(kind: Database["kind"], source: PostgresSource | undefined) {
  let opened: OpenedDatabase | undefined;
  const databases: TestDatabases = {
    kind,
    async open() {
      if (!opened) throw new Error("A test database is opened inside a test or a hook.");
      const schema = `t_${randomBytes(6).toString("hex")}`;
      await opened.database.query(`create schema ${schema}`);
      return { database: { ...opened.database, close: async () => {} }, schema, url: opened.url };
    },
  };
  return {
    databases,
    async start() {
      opened = source === undefined ? await openEmbedded() : await openOnServer(source);
    },
    async stop() {
      await opened?.close();
    },
  };
}

interface OpenedDatabase {
  readonly database: Database;
  readonly url: string | undefined;
  close(): Promise<void>;
}

async function openEmbedded(): Promise<OpenedDatabase> {
  const database = await openTestPglite();
  return { database, url: undefined, close: () => database.close() };
}

async function openOnServer(source: PostgresSource): Promise<OpenedDatabase> {
  const server = source.kind === "url" ? { url: source.url, stop: async () => {} } : await startPrivatePostgres();
  const { url, drop } = await createTestDatabase(server.url);
  const database = await openDatabase(url, { applicationName: "hookline tests" });
  return {
    database,
    url,
    async close() {
      await database.close();
      await drop();
      await server.stop();
    },
  };
}

/** Makes an empty database on a server; `drop` removes it, whoever is still connected. */
export async function createTestDatabase(serverUrl: string): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `hookline_test_${randomBytes(6).toString("hex")}`;
  const onServer = async (statement: string) => {
    const server = await openDatabase(serverUrl, { poolSize: 1 });
    try {
      await server.query(statement);
    } finally {
      await server.close();
    }
  };
  await onServer(`create database ${name} template template0`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer(`drop database if exists ${name} with (force)`) };
}
