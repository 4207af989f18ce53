import type { Database } from "@hookline/postgres";
import { type AttemptConsequences, createAttemptConsequences, type EndpointChange } from "./attempt-consequences.js";
import type { EndpointCache } from "./endpoint-cache.js";
import type { EndpointCodec } from "./endpoint-codec.js";
import { createEndpointGate } from "./endpoint-gate.js";
import { createEndpointSlowdown, type EndpointSlowdown } from "./endpoint-slowdown.js";
import { type Job, laneOf } from "./job.js";
import { admittedJobOf } from "./jobs.js";
import type { OperationalLog } from "./operational-log.js";
import type { Settings } from "./options.js";
import type { ClaimedRow } from "./sql/claim-deliveries.js";
import type { Statements } from "./sql/statements.js";

/** Keeps deliveries from endpoints that fail or asked for it, and lets them go when that is over. */
export interface EndpointProtection {
  readonly consequences: AttemptConsequences;
  readonly slowdown: EndpointSlowdown;
  /** Whether it may be attempted now; if not, it is looked at again in time. */
  admits(job: Job): boolean;
  /** A delivery that a claim took from outside the line: the claim knows later than all that is known here. */
  admitted(row: ClaimedRow, leasedUntilMs: number): Job;
  /** It was committed how endpoints do now. */
  heed(changes: readonly EndpointChange[]): void;
  /** Deliveries of these endpoints left the line. */
  lookAfter(endpointIds: ReadonlySet<string>): void;
  prune(): void;
  stop(): void;
}

export function createEndpointProtection(options: {
  readonly settings: Settings;
  readonly database: Database;
  readonly statements: Statements;
  readonly codec: EndpointCodec;
  readonly log: OperationalLog;
  readonly endpoints: EndpointCache;
  readonly channel: string;
  /** Takes from outside the line what waits there for an endpoint. */
  readonly pull: (endpointId: string) => void;
  /** Whether it has no use for more deliveries now. */
  readonly isBusy: (endpointId: string) => boolean;
  /** Moves what waits in memory for an endpoint out of the line. */
  readonly evict: (endpointId: string) => void;
}): EndpointProtection {
  const { clock } = options.settings;
  const gate = createEndpointGate({ clock, onDue: options.pull });
  const slowdown = createEndpointSlowdown(options.settings);

  const heedOne = ({ endpointId, health, hasClosed, isDisabled }: EndpointChange): void => {
    if (isDisabled) {
      options.endpoints.forget(endpointId);
      return;
    }
    gate.learn(endpointId, health);
    if (health.isOpen || gate.isBlocked(endpointId)) {
      options.evict(endpointId);
    } else if (hasClosed) {
      slowdown.startSlowly(endpointId, clock.now());
      options.pull(endpointId);
    }
  };

  return {
    consequences: createAttemptConsequences({ ...options, wasFailing: ({ job }) => gate.isFailing(job) }),
    slowdown,
    admits: gate.admits,
    admitted(row, leasedUntilMs) {
      const job = admittedJobOf(row, leasedUntilMs);
      if (!job.isProbe) gate.forget(laneOf(job));
      return job;
    },
    heed: (changes) => changes.forEach(heedOne),
    lookAfter(endpointIds) {
      // Also of one that is known as blocked: it may have recovered while they were on their way out.
      for (const id of endpointIds) if (!options.isBusy(id)) options.pull(id);
    },
    prune() {
      gate.prune();
      slowdown.prune(clock.now());
    },
    stop: gate.stop,
  };
}
