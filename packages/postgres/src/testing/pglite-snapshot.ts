import { createHash, randomUUID } from "node:crypto";
import { chmod, link, stat, unlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { startWorkerClient } from "../pglite/worker-client.js";

/**
 * A new, empty PGlite database as a file in the temporary directory, made by the first test run that needs it. To make
 * one takes seconds, to load one takes a fraction of that.
 */
export async function findSnapshot(): Promise<string> {
  const engine = createRequire(import.meta.url).resolve("@electric-sql/pglite");
  const { mtimeMs, size } = await stat(engine);
  const version = createHash("sha256").update(`${engine} ${mtimeMs} ${size}`).digest("hex").slice(0, 12);
  const path = join(tmpdir(), `hookline-pglite-${userInfo().username}-${version}.tar`);
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
