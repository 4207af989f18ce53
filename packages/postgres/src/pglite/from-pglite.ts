import { type Logger, silentLogger } from "@hookline/core";
import type { Database, DatabaseTransaction } from "../database.js";
import { createDatabaseFace } from "../database-face.js";
import type { DatabaseError } from "../errors.js";
import { quoteIdentifier } from "../identifier.js";
import { toDatabaseError } from "../pg/pg-error.js";
import { runCallbacks, transactionAborted, transactionWithin } from "../run-transaction.js";
import { createRunningWork } from "../running-work.js";
import { createTransactionScopes, type SCOPES, type TransactionScopes } from "../transaction-scope.js";
import { type OwnPglite, runOnPglite } from "./own-pglite.js";

/** Options of {@link fromPglite}. */
export interface FromPgliteOptions {
  readonly logger?: Logger;
}

/**
 * A database on a PGlite object of your own, in this thread; `close()` leaves it open, and its directory, its lock and
 * its `fsync` stay your concern. Its only connection is shared with you: inside `pglite.transaction(async (tx) => …)` use
 * `tx` alone (with `fromPgliteTransaction`), since whatever else is awaited there waits for that transaction's end.
 *
 * @example
 * const pglite = await PGlite.create();
 * const database = fromPglite(pglite);
 */
export function fromPglite(
  pglite: OwnPglite,
  { logger = silentLogger }: FromPgliteOptions = {},
): Database & { readonly [SCOPES]: TransactionScopes } {
  const scopes = createTransactionScopes();
  const running = createRunningWork();
  const stops = new Set<() => Promise<void>>();
  // Asked each time, since PGlite learns of new types.
  const types = () => Object.keys(pglite.parsers);

  async function runTransaction<T>(fn: (transaction: DatabaseTransaction) => Promise<T>) {
    const scope = scopes.open();
    let outcome: { readonly value: T } | undefined;
    let refusal: { readonly error: unknown } | undefined;
    try {
      await pglite.transaction(async (tx) => {
        const transaction = transactionWithin(scope, {
          run: (text, params) => runOnPglite({ on: tx, types }, text, params),
        });
        try {
          outcome = { value: await scopes.run(scope, () => fn(transaction)) };
        } catch (error) {
          refusal = { error };
          throw error;
        } finally {
          scope.close();
        }
      });
    } catch (error) {
      if (refusal !== undefined) throw refusal.error;
      throw outcome === undefined ? toDatabaseError(error) : commitFailure(error);
    } finally {
      // Also when PGlite did not begin it.
      scope.close();
    }
    return { ...(outcome as { readonly value: T }), afterCommit: () => runCallbacks(scope.callbacks, logger) };
  }

  async function listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>> {
    const forget = pglite.onNotification((heard, payload) => {
      if (heard !== channel) return;
      try {
        onNotify(payload);
      } catch (error) {
        logger.error({ err: error }, "a notification's listener threw");
      }
    });
    // PGlite counts who listens, so that its caller's own listeners and these do not end each other.
    const name = quoteIdentifier(channel);
    const counted = () => undefined;
    try {
      await pglite.listen(name, counted);
    } catch (error) {
      forget();
      throw toDatabaseError(error);
    }
    let stopping: Promise<void> | undefined;
    const stop = () => {
      forget();
      stops.delete(stop);
      // What `listen` of PGlite answers forgets the quotes around the name.
      stopping ??= pglite.unlisten(name, counted);
      return stopping;
    };
    stops.add(stop);
    return stop;
  }

  return createDatabaseFace({
    kind: "pglite",
    scopes,
    execute: (text, params) => running.track(runOnPglite({ on: pglite, types }, text, params)),
    transaction: (fn) => running.track(runTransaction(fn)),
    listen: (channel, onNotify) => running.track(listen(channel, onNotify)),
    async close() {
      await running.settled();
      for (const outcome of await Promise.allSettled([...stops].map((stop) => stop()))) {
        if (outcome.status === "rejected") logger.warn({ err: outcome.reason }, "a channel was not left");
      }
    },
  });
}

/** 25P02: PGlite's own error for a COMMIT that became a rollback; from a server it is no answer to COMMIT. */
function commitFailure(error: unknown): DatabaseError {
  const failure = toDatabaseError(error);
  return failure.sqlState === "25P02" ? transactionAborted(error) : failure;
}
