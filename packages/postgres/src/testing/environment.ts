import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Set by {@link provideTestPostgres} for the test files of one run. */
const PROVIDED = "HOOKLINE_TEST_POSTGRES_URL";

/** What the machine offers to tests that need a Postgres server. */
export type PostgresSource =
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "binaries"; readonly directory: string }
  | { readonly kind: "none"; readonly reason: string };

/** `DATABASE_URL`, else the server that this run was provided with, else binaries to start one with. */
export function findPostgres(): PostgresSource {
  const url = environment().DATABASE_URL ?? environment()[PROVIDED];
  if (url) return { kind: "url", url };
  const directory = findPostgresBinaries();
  if (directory !== undefined) return { kind: "binaries", directory };
  return {
    kind: "none",
    reason: "DATABASE_URL is not set, and neither PATH nor /usr/lib/postgresql has initdb and postgres",
  };
}

/** The folder that holds `initdb` and `postgres`: one of PATH, else where packages put the newest version. */
export function findPostgresBinaries(): string | undefined {
  const packaged = ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt", "/usr/pgsql"]
    .flatMap((root) => foldersIn(root).map((name) => ({ version: versionOf(name), path: join(root, name, "bin") })))
    .filter(({ version }) => version > 0)
    .sort((one, other) => other.version - one.version)
    .map(({ path }) => path);
  return [...(environment().PATH ?? "").split(delimiter), ...packaged].find(
    (folder) => folder !== "" && ["initdb", "postgres"].every((binary) => existsSync(join(folder, binary))),
  );
}

/** True on a build server, where a skipped suite counts as a failed one. */
export function isContinuousIntegration(): boolean {
  return environment().CI === "true";
}

/** Lets the test files of this run find a server; the answer forgets it. */
export function announcePostgres(url: string): () => void {
  environment()[PROVIDED] = url;
  return () => {
    delete environment()[PROVIDED];
  };
}

function environment(): NodeJS.ProcessEnv {
  // biome-ignore lint/style/noProcessEnv: these variables are the documented switches of the test helper
  return process.env;
}

function foldersIn(root: string): string[] {
  return existsSync(root) ? readdirSync(root) : [];
}

function versionOf(name: string): number {
  return Number(/^(?:postgresql@)?(\d+)$/.exec(name)?.[1] ?? 0);
}
