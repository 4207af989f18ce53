import type { Destination } from "./destination.js";
import type { IngestInput, IngestResult } from "./ingest.js";
import type { Logger } from "./logger.js";
import type { Outbox } from "./outbox.js";

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
  readonly ingest: (inputs: readonly IngestInput[]) => Promise<readonly IngestResult[]>;
  /** True the first time that a key is seen within its time; shared by all processes. */
  readonly acceptOnce: (key: string, ttlSeconds: number) => Promise<boolean>;
}

/** Types a connector; adds nothing at run time. */
export function defineConnector(connector: Connector): Connector {
  return connector;
}
