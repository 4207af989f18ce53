import type { Logger } from "@hookline/core";
import type { Database } from "../database.js";
import { createDatabaseFace } from "../database-face.js";
import { DatabaseError } from "../errors.js";
import { quoteIdentifier } from "../identifier.js";
import { type RunResult, runTransaction } from "../run-transaction.js";
import { createStatementNames } from "../statement-names.js";
import { createTransactionScopes, type SCOPES, type TransactionScopes } from "../transaction-scope.js";
import { encodeParameters } from "../values/encode-parameter.js";
import { createExclusiveQueue } from "./exclusive-queue.js";
import type { WorkerClient } from "./worker-client.js";

export interface PgliteDatabaseOptions {
  readonly worker: WorkerClient;
  readonly logger: Logger;
  /** Runs after the worker has closed. */
  readonly end: () => Promise<void>;
}

/** The port on PGlite: one connection in a thread of its own. */
export function createPgliteDatabase({
  worker,
  logger,
  end,
}: PgliteDatabaseOptions): Database & { readonly [SCOPES]: TransactionScopes } {
  const channels = new Map<string, Set<(payload: string) => void>>();
  const scopes = createTransactionScopes();
  const queue = createExclusiveQueue();
  const nameOf = createStatementNames();
  let isClosing = false;

  function onNotify(channel: string, payload: string): void {
    for (const subscriber of [...(channels.get(channel) ?? [])]) {
      try {
        subscriber(payload);
      } catch (error) {
        logger.error({ err: error }, "a notification's listener threw");
      }
    }
  }

  async function run(text: string, params: readonly unknown[]): Promise<RunResult> {
    if (text.includes("\0")) throw new DatabaseError("invalid_parameter", "An SQL text holds a zero character.");
    return worker.run(text, encodeParameters(params), params.length === 0 ? undefined : nameOf(text));
  }

  async function unlisten(channel: string, subscriber: (payload: string) => void): Promise<void> {
    const subscribers = channels.get(channel);
    if (!subscribers?.delete(subscriber) || subscribers.size > 0) return;
    channels.delete(channel);
    if (!isClosing) await queue.shared(() => run(`UNLISTEN ${quoteIdentifier(channel)}`, []));
  }

  worker.setNotificationHandler(onNotify);
  return createDatabaseFace({
    kind: "pglite",
    scopes,
    execute: (text, params) => queue.shared(() => run(text, params)),
    transaction: (fn) =>
      queue.exclusive(() =>
        runTransaction({ scopes, logger }, { run, broken: (err) => logger.error({ err }, "a rollback failed") }, fn),
      ),
    async listen(channel, onNotification) {
      const subscriber = (payload: string) => onNotification(payload);
      const known = channels.get(channel);
      if (known) known.add(subscriber);
      else channels.set(channel, new Set([subscriber]));
      await queue.shared(() => run(`LISTEN ${quoteIdentifier(channel)}`, []));
      return () => unlisten(channel, subscriber);
    },
    close() {
      isClosing = true;
      return queue.exclusive(() => worker.close()).finally(end);
    },
  });
}
