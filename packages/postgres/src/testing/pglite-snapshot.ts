import { createHash, randomUUID } from "node:crypto";
import { cpSync, mkdirSync } from "node:fs";
import { chmod, link, mkdir, rename, rm, stat, unlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { DATA } from "../pglite/data-directory.js";
import { startWorkerClient } from "../pglite/worker-client.js";

/**
 * A new, empty PGlite database as a file in the temporary directory, made by the first test run that needs it. To make
 * one takes seconds, to load one takes a fraction of that.
 */
export async function findSnapshot(): Promise<string> {
  const path = `${await placeOfEngine()}.tar`;
  if (await isOurs(path)) return path;
  const unfinished = `${path}.${randomUUID()}`;
  const worker = await startWorkerClient({ directory: undefined, fsync: false });
  try {
    await worker.dump(unfinished);
  } finally {
    await worker.close();
  }
  await chmod(unfinished, 0o600);
  try {
    // Never in the place of one that another process finished first and is reading by now.
    await link(unfinished, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST" || !(await isOurs(path))) throw error;
  } finally {
    await unlink(unfinished);
  }
  return path;
}

/**
 * Puts a new, empty embedded database into a directory (made when absent), for a program that opens
 * `pglite://<directory>`: it then starts in a fraction of the seconds that a first start takes.
 *
 * @throws when the directory holds a database already
 *
 * @example
 * await createPgliteDirectory(join(home, "data"));
 * spawn("node", ["dist/main.js"], { env: { DATABASE_URL: `pglite://${join(home, "data")}` } });
 */
export async function createPgliteDirectory(directory: string): Promise<void> {
  const template = await findTemplate();
  mkdirSync(directory, { recursive: true });
  // A thousand small files: the asynchronous copy takes three times the processor's time.
  cpSync(template, join(directory, DATA), { recursive: true, errorOnExist: true, force: false });
}

/** The files of the snapshot, in a directory beside it. */
async function findTemplate(): Promise<string> {
  const path = `${await placeOfEngine()}.files`;
  if (await isOurs(path)) return path;
  const unfinished = `${path}.${randomUUID()}`;
  await mkdir(unfinished, { mode: 0o700 });
  const worker = await startWorkerClient({ directory: unfinished, fsync: false, snapshot: await findSnapshot() });
  await worker.close();
  try {
    await rename(unfinished, path);
  } catch (error) {
    // Another process was first.
    await rm(unfinished, { recursive: true });
    if (!(await isOurs(path))) throw error;
  }
  return path;
}

/** Where things made by this very PGlite lie; an ending is to be added. */
async function placeOfEngine(): Promise<string> {
  const engine = createRequire(import.meta.url).resolve("@electric-sql/pglite");
  const { mtimeMs, size } = await stat(engine);
  const version = createHash("sha256").update(`${engine} ${mtimeMs} ${size}`).digest("hex").slice(0, 12);
  return join(tmpdir(), `hookline-pglite-${userInfo().username}-${version}`);
}

// The temporary directory belongs to everybody: what somebody else put there is not loaded.
async function isOurs(path: string): Promise<boolean> {
  try {
    const { uid, mode } = await stat(path);
    return process.platform === "win32" || (uid === process.getuid?.() && (mode & 0o077) === 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}
