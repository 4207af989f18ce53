import { resolve } from "node:path";
import type { Logger } from "@hookline/core";
import type { Database } from "../database.js";
import { DatabaseError, isDatabaseError } from "../errors.js";
import { corrupt, ensureDirectory, prepareDataDirectory, unusable } from "./data-directory.js";
import { lockDirectory } from "./directory-lock.js";
import { createPgliteDatabase } from "./pglite-database.js";
import { startWorkerClient, type WorkerClient } from "./worker-client.js";

export interface OpenPgliteOptions {
  readonly logger: Logger;
  readonly fsync: boolean;
}

/** Opens `memory`, or the directory at a path. */
export async function openPgliteDatabase(path: string, { logger, fsync }: OpenPgliteOptions): Promise<Database> {
  if (path === "") throw new DatabaseError("invalid_url", "pglite:// needs a directory, or pglite://memory.");
  if (path === "memory") return openInMemory({ logger });
  return openOnDisk(resolve(path), { logger, fsync });
}

/** An embedded database that is gone when it is closed; with a snapshot it starts several times faster. */
export async function openInMemory(options: {
  readonly logger: Logger;
  readonly snapshot?: string | undefined;
}): Promise<Database> {
  const worker = await startWorkerClient({ directory: undefined, fsync: false, snapshot: options.snapshot });
  return createPgliteDatabase({ worker, logger: options.logger, end: async () => {} });
}

async function openOnDisk(directory: string, { logger, fsync }: OpenPgliteOptions): Promise<Database> {
  let worker: WorkerClient | undefined;
  await ensureDirectory(directory);
  const lock = await lockDirectory({
    directory,
    onLost(error) {
      logger.error({ err: error }, "the embedded database's lock was lost");
      worker?.abort(error).catch((failure: unknown) => logger.error({ err: failure }, "its thread did not end"));
    },
  }).catch((error: unknown) => {
    throw isDatabaseError(error) ? error : unusable(directory, error);
  });
  try {
    const data = await prepareDataDirectory(directory, (fresh) => createEmpty(fresh));
    worker = await startWorkerClient({ directory: data, fsync });
  } catch (error) {
    await lock.release();
    throw describeFailure(directory, error);
  }
  return createPgliteDatabase({ worker, logger, end: () => lock.release() });
}

async function createEmpty(directory: string): Promise<void> {
  try {
    const worker = await startWorkerClient({ directory, fsync: false });
    await worker.close();
  } catch (error) {
    throw unusable(directory, error);
  }
}

function describeFailure(directory: string, error: unknown): DatabaseError {
  if (!isDatabaseError(error)) return unusable(directory, error);
  if (error.code === "directory_corrupt" && !error.message.startsWith(directory)) {
    return corrupt(directory, error.message, error);
  }
  // The thread ended while it opened the files: Postgres gave up on them.
  return error.code === "connection_failed" ? corrupt(directory, error.message, error) : error;
}
