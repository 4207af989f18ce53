import { closeSync, fsyncSync, openAsBlob, openSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { parentPort } from "node:worker_threads";
import { isDatabaseError } from "./errors.js";
import { createPgliteEngine, type PgliteEngine } from "./pglite/pglite-engine.js";
import type { WorkerFailure, WorkerMessage, WorkerRequest } from "./pglite/worker-protocol.js";

// The thread in which PGlite runs: its queries are synchronous and would hold up everything else.
const port = parentPort;
if (!port) throw new Error("This file runs as a worker thread of @hookline/postgres.");

let engine: PgliteEngine | undefined;

port.on("message", (request: WorkerRequest) => {
  answer(request).then(
    (result) => post({ id: request.id, result }),
    (error: unknown) => post({ id: request.id, failure: toFailure(error) }),
  );
});

async function answer(request: WorkerRequest) {
  if (request.kind === "open") {
    engine = await createPgliteEngine({
      directory: request.directory,
      fileSync: request.fsync ? { byDescriptor: fsyncSync, byPath: syncPath } : undefined,
      snapshot: request.snapshot === undefined ? undefined : await openAsBlob(request.snapshot),
      onNotify: (channel, payload) => post({ channel, payload }),
    });
    return undefined;
  }
  if (!engine) throw new Error("The embedded database is not open.");
  if (request.kind === "run") return engine.run(request);
  if (request.kind === "dump") {
    await writeFile(request.path, await engine.dump());
    return undefined;
  }
  await engine.close();
  return undefined;
}

function syncPath(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function post(message: WorkerMessage): void {
  port?.postMessage(message);
}

function toFailure(error: unknown): WorkerFailure {
  if (isDatabaseError(error)) {
    return {
      message: error.message,
      code: error.code,
      ...(error.sqlState === undefined ? {} : { sqlState: error.sqlState }),
      ...(error.constraint === undefined ? {} : { constraint: error.constraint }),
    };
  }
  return { message: error instanceof Error ? error.message : String(error), fatal: true };
}
