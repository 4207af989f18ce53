import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseError } from "../errors.js";

/** Where Postgres's own files lie, below the directory of the URL; the lock lies beside them. */
export const DATA = "pgdata";
const UNFINISHED = "pgdata.new-";

/** Makes the directory when it is absent. */
export async function ensureDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
  } catch (error) {
    throw unusable(directory, error);
  }
}

/**
 * Answers where Postgres's files are; when there are none, has them made aside and moved into place, so that an
 * interrupted first start leaves nothing that looks like a database. Call it with the directory locked.
 *
 * @throws DatabaseError `directory_corrupt`
 */
export async function prepareDataDirectory(
  directory: string,
  create: (path: string) => Promise<void>,
): Promise<string> {
  const data = join(directory, DATA);
  if (existsSync(data)) {
    if (existsSync(join(data, "PG_VERSION"))) return data;
    throw corrupt(directory, "pgdata has no PG_VERSION");
  }
  if (existsSync(join(directory, "PG_VERSION"))) {
    throw corrupt(directory, "it holds a bare Postgres data directory; Hookline keeps its files in pgdata below it");
  }
  for (const name of await readdir(directory)) {
    if (name.startsWith(UNFINISHED)) await rm(join(directory, name), { recursive: true, force: true });
  }
  const fresh = join(directory, `${UNFINISHED}${randomUUID().slice(0, 8)}`);
  await create(fresh);
  await syncTree(fresh);
  await rename(fresh, data);
  await syncPath(directory);
  return data;
}

export function corrupt(directory: string, reason: string, cause?: unknown): DatabaseError {
  return new DatabaseError(
    "directory_corrupt",
    `${directory} cannot be opened as an embedded database: ${reason}. Hookline has removed nothing; restore a copy, or name another directory.`,
    { cause },
  );
}

export function unusable(directory: string, cause: unknown): DatabaseError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new DatabaseError("directory_unusable", `${directory} cannot be used: ${reason}`, { cause });
}

/** Postgres counts on the files that it starts from being on the disk. */
async function syncTree(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true });
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await syncTree(path);
    else await syncPath(path);
  }
  await syncPath(directory);
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
    // Windows opens no directories.
    if (error.code === "EISDIR" || error.code === "EPERM") return undefined;
    throw error;
  });
  try {
    await handle?.sync();
  } finally {
    await handle?.close();
  }
}
