import { Worker } from "node:worker_threads";
import { DatabaseError, type DatabaseErrorCode } from "../errors.js";
import type { EncodedParameter } from "../values/encode-parameter.js";
import type { WorkerFailure, WorkerMessage, WorkerRequest, WorkerRunResult } from "./worker-protocol.js";

export type NotificationHandler = (channel: string, payload: string) => void;

/** PGlite in its thread, as seen from ours. Requests are served in the order in which they are made. */
export interface WorkerClient {
  run(text: string, params: readonly EncodedParameter[], name: string | undefined): Promise<WorkerRunResult>;
  /** Writes the whole database into a file. */
  dump(path: string): Promise<void>;
  /** Closes the database and ends the thread; also when it has failed before. */
  close(): Promise<void>;
  /** Hands over where notifications go; nobody listens before. */
  setNotificationHandler(handler: NotificationHandler): void;
  /** Ends the thread at once; everything asked and to be asked fails with the reason. */
  abort(reason: DatabaseError): Promise<void>;
}

export interface WorkerClientOptions {
  /** Absent: in memory. */
  readonly directory: string | undefined;
  /** Whether each commit is synced to the disk. */
  readonly fsync: boolean;
  /** A file that `dump` wrote, to start from; absent: a new database is made where there is none. */
  readonly snapshot?: string | undefined;
}

interface Pending {
  resolve(result: WorkerRunResult | undefined): void;
  reject(error: DatabaseError): void;
}

type RequestBody = WorkerRequest extends infer Each ? (Each extends unknown ? Omit<Each, "id"> : never) : never;

/** @throws DatabaseError `directory_corrupt` */
export async function startWorkerClient({ directory, fsync, snapshot }: WorkerClientOptions): Promise<WorkerClient> {
  const worker = new Worker(new URL("./pglite-worker.js", import.meta.url), { name: "hookline-pglite", execArgv: [] });
  const pending = new Map<number, Pending>();
  let onNotify: NotificationHandler = () => {};
  let nextId = 1;
  let ended: DatabaseError | undefined;

  function end(reason: DatabaseError): void {
    ended ??= reason;
    for (const request of pending.values()) request.reject(ended);
    pending.clear();
  }

  worker.on("message", (message: WorkerMessage) => {
    if ("channel" in message) {
      onNotify(message.channel, message.payload);
      return;
    }
    const request = pending.get(message.id);
    pending.delete(message.id);
    if ("result" in message) request?.resolve(message.result);
    else {
      const error = toError(message.failure);
      request?.reject(error);
      if (message.failure.fatal) end(error);
    }
  });
  worker.on("error", (error) => end(stopped(error)));
  worker.on("exit", () => end(stopped(undefined)));

  function ask(body: RequestBody): Promise<WorkerRunResult | undefined> {
    if (ended) return Promise.reject(ended);
    return new Promise((resolve, reject) => {
      const id = nextId++;
      pending.set(id, { resolve, reject });
      worker.postMessage({ ...body, id } satisfies WorkerRequest);
    });
  }

  try {
    await ask({ kind: "open", directory, fsync, snapshot });
  } catch (error) {
    await worker.terminate();
    throw error;
  }
  return {
    async run(text, params, name) {
      const result = await ask({ kind: "run", text, params, name });
      return result ?? { rows: [], rowCount: 0, command: "" };
    },
    async dump(path) {
      await ask({ kind: "dump", path });
    },
    async close() {
      try {
        if (!ended) await ask({ kind: "close" });
      } finally {
        await worker.terminate();
      }
    },
    setNotificationHandler(handler) {
      onNotify = handler;
    },
    async abort(reason) {
      end(reason);
      await worker.terminate();
    },
  };
}

function toError({ message, code, sqlState, constraint }: WorkerFailure): DatabaseError {
  return new DatabaseError((code as DatabaseErrorCode | undefined) ?? "connection_failed", message, {
    sqlState,
    constraint,
  });
}

function stopped(cause: unknown): DatabaseError {
  return new DatabaseError("connection_failed", "The embedded database's thread has stopped.", { cause });
}
