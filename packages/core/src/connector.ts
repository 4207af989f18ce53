import type { Destination } from "./destination.js";
import type { IngestInput, IngestOptions, IngestResult } from "./ingest.js";
import type { Logger } from "./logger.js";
import type { DirectSend, Outbox } from "./outbox.js";
import type { SharedState } from "./shared-state.js";
import type { Transaction } from "./transaction.js";

/** One platform's inbound side. The engine mounts its routes under `/v1/connectors/{id}`. */
export interface Connector {
  /** `discord` … */
  readonly id: string;
  /** The kinds of identity that it adds, such as `discord`. */
  readonly identityKinds: readonly string[];
  /** Contact properties that merge one level deep instead of being replaced, such as `discord`. */
  readonly mergedProperties: readonly string[];
  readonly routes: readonly ConnectorRoute[];
  /** What it needs to have delivered later, such as follow-ups. The app registers them with the dispatcher. */
  readonly destinations: readonly Destination[];
  /**
   * What to send after accounts were unlinked or erased for which the app keeps tokens: one of its destinations then
   * ends on the platform what the tokens stand for, and removes them. It names nobody, so that an erasure of a person
   * does not end it. Absent or null: an erasure removes the tokens at once.
   */
  readonly releaseTokens?: (tenantId: string) => DirectSend | null;
}

export interface ConnectorRoute {
  readonly method: "GET" | "POST";
  /** Below `/v1/connectors/{id}`, such as `/ingress`. */
  readonly path: string;
  readonly summary: string;
  /** Whether the per-address rate limit applies. Routes that prove their caller by a signature say false. */
  readonly rateLimited: boolean;
  /** A larger body is refused with 413 before it reaches `handle`. */
  readonly maxBodyBytes: number;
  readonly handle: (request: Request, context: ConnectorContext) => Promise<Response>;
}

/** What the engine lends to a connector's routes. */
export interface ConnectorContext {
  readonly outbox: Outbox;
  readonly logger: Logger;
  /** Resolves contacts and stores events; one result for each input, in order. */
  readonly ingest: (inputs: readonly IngestInput[], options?: IngestOptions) => Promise<readonly IngestResult[]>;
  /** A transaction of the engine's database, for `outbox` and `state`: commits what the work answers, takes back what throws. */
  readonly transaction: <Result>(work: (transaction: Transaction) => Promise<Result>) => Promise<Result>;
  /** True the first time that a key is seen within its time; shared by all processes. */
  readonly acceptOnce: (key: string, ttlSeconds: number, options?: AcceptOptions) => Promise<boolean>;
  /** What the connector's processes have to know of one another. */
  readonly state: SharedState;
  /** Counts one use of a key in a window that begins with the first; shared by all processes. Throws when it can't count. */
  readonly countUse: (use: CountedUse) => Promise<UseCount>;
}

export interface AcceptOptions {
  /**
   * Answers before the commit is on the disk (Postgres's asynchronous commit), for whoever can't wait for a disk. When
   * the database crashes within moments the key may be forgotten, unless something else was committed after it.
   */
  readonly asyncCommit?: boolean;
}

export interface CountedUse {
  readonly key: string;
  /** Uses within the window; a whole number above 0. */
  readonly max: number;
  /** A whole number above 0. */
  readonly windowSeconds: number;
}

export interface UseCount {
  readonly allowed: boolean;
  /** Until the window ends. */
  readonly resetMs: number;
}

/** Types a connector; adds nothing at run time. */
export function defineConnector(connector: Connector): Connector {
  return connector;
}
