import { AsyncLocalStorage } from "node:async_hooks";
import type { Database } from "./database.js";
import { DatabaseError } from "./errors.js";

/** One running transaction: what was asked to happen after its commit, and whether it still runs. */
export interface TransactionScope {
  /** @throws DatabaseError `transaction_closed` */
  assertOpen(): void;
  afterCommit(callback: () => void): void;
  /** Ends the scope without running what waits for the commit. */
  close(): void;
  /** What waits for the commit, in order. */
  readonly callbacks: readonly (() => void)[];
}

/** Knows whether the code that runs now was called from inside a transaction of one database. */
export interface TransactionScopes {
  open(): TransactionScope;
  run<T>(scope: TransactionScope, fn: () => Promise<T>): Promise<T>;
  /** To be called before anything that may call `enter` begins: from then on contexts are told apart at any time. */
  prepareToEnter(): void;
  /** Makes the rest of the caller's asynchronous context part of a new scope, where there is no function to wrap. */
  enter(): TransactionScope;
  isInside(): boolean;
  /** @throws DatabaseError `nested_query` inside a running transaction */
  assertOutside(what: string): void;
}

/** Where a database of ours keeps its scopes, for what stands on it inside this package. */
export const SCOPES = Symbol("hookline.transaction-scopes");

/**
 * Makes the scopes of one database. Code started inside a transaction counts as outside once that has ended.
 *
 * While no transaction is open there is nothing to know, and the storage is off: Node pays for it with each promise of
 * the whole process. Promises that are made meanwhile share one context, which `run` leaves as it was; to `enter` a
 * scope there would have all of them inside.
 */
export function createTransactionScopes(): TransactionScopes {
  const storage = new AsyncLocalStorage<OpenScope>();
  let open = 0;
  let staysOn = false;
  const openScope = (): OpenScope => {
    open += 1;
    return createScope(() => {
      open -= 1;
      if (open === 0 && !staysOn) storage.disable();
    });
  };
  const isInside = () => storage.getStore()?.isOpen() === true;
  return {
    open: openScope,
    run: (scope, fn) => storage.run(scope as OpenScope, fn),
    prepareToEnter() {
      if (staysOn) return;
      staysOn = true;
      storage.enterWith(storage.getStore() as OpenScope);
    },
    enter() {
      const scope = openScope();
      storage.enterWith(scope);
      return scope;
    },
    isInside,
    assertOutside(what) {
      if (!isInside()) return;
      throw new DatabaseError(
        "nested_query",
        `${what} was called on the database inside its own transaction; use the transaction that was passed in.`,
      );
    },
  };
}

interface OpenScope extends TransactionScope {
  isOpen(): boolean;
}

function createScope(onClose: () => void): OpenScope {
  const callbacks: (() => void)[] = [];
  let open = true;
  const assertOpen = () => {
    if (!open) throw transactionClosed();
  };
  return {
    callbacks,
    isOpen: () => open,
    assertOpen,
    afterCommit(callback) {
      assertOpen();
      callbacks.push(callback);
    },
    close() {
      if (!open) return;
      open = false;
      onClose();
    },
  };
}

/** A statement that came after the end of its transaction. */
export function transactionClosed(): DatabaseError {
  return new DatabaseError("transaction_closed", "The transaction has ended; it takes no more statements.");
}

/**
 * Whether the code that runs now was called from inside a running transaction of this database, where its own `query`
 * answers `nested_query`. Ask before work is put off or shared with others, which leaves that context. Always false
 * for a database that was not made by this package.
 *
 * @example
 * if (isInsideTransaction(database)) throw new Error("Use the transaction that was passed in.");
 */
export function isInsideTransaction(database: Database): boolean {
  const scopes = (database as { readonly [SCOPES]?: TransactionScopes })[SCOPES];
  return scopes?.isInside() ?? false;
}
