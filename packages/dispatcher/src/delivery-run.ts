import { createHash } from "node:crypto";
import type { Destination, DestinationEndpoint, SqlQuery } from "@hookline/core";
import { type AttemptInput, type AttemptResult, createAttempt } from "./attempt.js";
import { type AttemptEnd, createAttemptEnd } from "./attempt-end.js";
import type { AskedEndpoint, AttemptOutcome } from "./attempt-outcome.js";
import type { DestinationRegistry } from "./destinations/registry.js";
import type { EndpointPolicy } from "./endpoint.js";
import type { EndpointCache } from "./endpoint-cache.js";
import type { EndpointCodec, OpenEndpoint } from "./endpoint-codec.js";
import { type EndpointSlowdown, signalOf } from "./endpoint-slowdown.js";
import { createEntityLeases, type HeldEntity } from "./entity-leases.js";
import type { HttpSender } from "./http-sender.js";
import { type Job, laneOf } from "./job.js";
import type { Meters } from "./meters.js";
import type { Settings } from "./options.js";
import type { Bucket } from "./rate-gate.js";
import { isUsedUp } from "./retry-schedule.js";
import { signingSecrets } from "./secrets.js";
import { plainText } from "./sql/columns.js";
import type { GivenBackRow } from "./sql/give-back-deliveries.js";
import type { AttemptRow, RecordedRow } from "./sql/record-attempts.js";
import type { Statements } from "./sql/statements.js";
import { createThinkingTime } from "./thinking-time.js";
import type { Throttle } from "./throttle.js";
import type { Traces } from "./traces.js";
import { createUnreadableTargets, isUnreadable } from "./unreadable-target.js";
import { createVerdict } from "./verdict.js";

export interface DeliveryRun {
  /** Makes one attempt, or finds that there can be none now. Never rejects. */
  run(job: Job): Promise<void>;
  /** Ends the attempts in flight; they give their deliveries back. */
  interrupt(): void;
}

/** Where the outcome of a run goes. */
export interface DeliveryOutcomes {
  record(outcome: AttemptOutcome): void;
  /** Resolves when the attempt is written, or its lease was found to be lost. */
  recordAndWait(outcome: AttemptOutcome): Promise<void>;
  /** Ends a lease without an attempt, and returns the probe that it was. */
  giveBack(job: Job, to: { readonly state: GivenBackRow["state"]; readonly nextAtMs: number }): void;
  /** Takes a delivery that its endpoint does not want out of the queue. */
  discard(job: Job): void;
  /** These were written elsewhere: whose turn it is after them goes on. */
  passTurns(rows: readonly RecordedRow[]): void;
  /** If the job is a probe: it was not made after all, and from `nextAtMs` on another one may be. */
  returnProbe(job: Job, nextAtMs: number): void;
}

interface Opened {
  readonly destinationId: string;
  readonly endpoint: DestinationEndpoint;
  readonly policy: EndpointPolicy;
  readonly active: boolean;
  /** Null: any data will do. */
  readonly accepts: ((data: unknown) => boolean) | null;
  /** Null for a direct send. */
  readonly version: number | null;
}

interface Place {
  readonly destination: Destination;
  /** Which state of the endpoint it reads and leaves; null for none. */
  readonly entity: string | null;
  /** One delivery of the entity after another. */
  readonly exclusive: boolean;
}

const MAX_ENTITY_CHARACTERS = 256;
/** A worker does not have this destination, or cannot read the target: another one may. */
const ELSEWHERE_MS = 5_000;
/** What an attempt's lease outlasts its time limit by, for its record and for clocks that differ; less of a short lease. */
const LEASE_MARGIN_MS = 5_000;

const STATELESS: HeldEntity = { state: null, release: () => Promise.resolve() };

/** Takes a job from its lease to its outcome. */
export function createDeliveryRun(options: {
  readonly settings: Settings;
  readonly query: SqlQuery;
  readonly statements: Statements;
  readonly registry: DestinationRegistry;
  readonly endpoints: EndpointCache;
  readonly codec: EndpointCodec;
  readonly sender: HttpSender;
  readonly outcomes: DeliveryOutcomes;
  readonly throttle: Throttle;
  readonly traces: Traces;
  readonly meters: Meters;
  /** The policy of a lane's endpoint is known. */
  readonly onOpened: (lane: string, policy: EndpointPolicy) => void;
  /** The rate limit is used up, or the tenant's time to think: the delivery waits, without an attempt. */
  readonly postpone: (job: Job, buckets: readonly Bucket[], untilMs: number) => void;
  readonly slowdown: EndpointSlowdown;
}): DeliveryRun {
  const { settings, query, statements, registry, endpoints, codec, outcomes, throttle, slowdown } = options;
  const { clock, logger } = settings;
  const thinking = createThinkingTime();
  const { keptResponseCharacters } = settings;
  const attempt = createAttempt({ sender: options.sender, keptResponseCharacters, thinking });
  const verdict = createVerdict({
    schedule: settings.retrySchedule,
    maxRetryAfterMs: settings.maxRetryAfterMs,
    random: settings.random,
  });
  const entities = createEntityLeases({ query, statements, clock, logger });
  const putOffUnreadable = createUnreadableTargets({
    query,
    statements,
    clock,
    logger,
    passTurns: outcomes.passTurns,
  });
  const running = new Set<AttemptEnd>();
  let interrupted = false;

  const giveBack = (job: Job, state: 0 | 1 | 2, delayMs = 0): void =>
    outcomes.giveBack(job, { state, nextAtMs: clock.now() + delayMs });

  /** No longer than until the deadline, at which it is said that it passed. */
  const waitWithin = ({ deadlineMs }: Job, waitMs: number): number =>
    Math.min(waitMs, settings.maxRetryAfterMs, deadlineMs === null ? waitMs : Math.max(0, deadlineMs - clock.now()));

  const timeoutOf = ({ timeoutMs = settings.timeoutMs }: EndpointPolicy) => Math.min(timeoutMs, settings.maxTimeoutMs);

  const open = (job: Job): Opened | null | Promise<Opened | null> => {
    const { recipient, tenantId } = job;
    if (recipient.kind === "direct") {
      const target = codec.decryptMessageTarget(job.deliveryId, recipient.target);
      const endpoint = { id: null, tenantId, target, secrets: [] };
      return { destinationId: recipient.destination, endpoint, policy: {}, active: true, accepts: null, version: null };
    }
    if (recipient.version === null) return null;
    const known = endpoints.get(recipient.endpointId, recipient.version);
    return known instanceof Promise
      ? known.then((endpoint) => (endpoint === null ? null : openedFor(job, endpoint)))
      : openedFor(job, known);
  };

  const openedFor = ({ tenantId }: Job, endpoint: OpenEndpoint): Opened => {
    const { id, target, destination, policy, active, accepts, version } = endpoint;
    const secrets = signingSecrets(endpoint.secrets, clock.now());
    return {
      destinationId: destination,
      endpoint: { id, tenantId, target, secrets },
      policy,
      active,
      accepts,
      version,
    };
  };

  /** An attempt that could outlive its lease is not begun: it would be made twice. */
  const mayBegin = (job: Job, { policy }: Opened): boolean => {
    const limitMs = timeoutOf(policy);
    const marginMs = Math.min(LEASE_MARGIN_MS, (settings.leaseMs - limitMs) / 2);
    return !interrupted && clock.now() + limitMs + marginMs <= job.leasedUntilMs;
  };

  /** One attempt under its time limit, written down. */
  const makeAttempt = async (job: Job, opened: Opened, place: Place & { readonly state: unknown }): Promise<void> => {
    // To wait for the state may have taken long.
    if (!mayBegin(job, opened)) return giveBack(job, 0);
    const startedAtMs = clock.now();
    const end = createAttemptEnd();
    const cancelTimer = clock.setTimer(() => end.abort(new Error("The time limit is over.")), timeoutOf(opened.policy));
    running.add(end);
    const input: AttemptInput = {
      job,
      destination: place.destination,
      endpoint: opened.endpoint,
      state: place.state,
      startedAtMs,
      usedUp: isUsedUp(
        opened.policy.retrySchedule ?? settings.retrySchedule,
        job.attempts - job.firstAttempt,
        opened.policy.maxAttempts,
      ),
      end,
    };
    const destinationId = place.destination.id;
    let result: AttemptResult;
    try {
      result = await options.traces.attempt({ job, destinationId }, (traceHeaders) => attempt(input, traceHeaders));
    } catch (error) {
      result = failedAttempt(error);
    } finally {
      cancelTimer();
      running.delete(end);
    }
    if (interrupted && end.aborted && result.outcome === "retry") return giveBack(job, 0);
    if (result.waitMs !== undefined) return giveBack(job, 0, waitWithin(job, result.waitMs));
    const judge = (judged: AttemptResult): AttemptRow =>
      verdict({
        job,
        result: judged,
        policy: opened.policy,
        entity: place.entity,
        startedAtMs,
        endedAtMs: clock.now(),
      });
    let row: AttemptRow;
    try {
      row = judge(result);
    } catch (error) {
      result = failedAttempt(error);
      row = judge(result);
    }
    options.meters.attempted(row, destinationId);
    const outcome = { row, job, endpoint: askedEndpoint(opened, { result, startedAtMs }) };
    // The next delivery of the same entity has to see the state that this one leaves.
    if (place.exclusive || result.disableEndpoint) await outcomes.recordAndWait(outcome);
    else outcomes.record(outcome);
  };

  /** What the attempt says about its endpoint; null for a direct send. */
  const askedEndpoint = (
    { endpoint, policy, version }: Opened,
    { result, startedAtMs }: { readonly result: AttemptResult; readonly startedAtMs: number },
  ): AskedEndpoint | null => {
    if (endpoint.id === null || version === null) return null;
    return {
      id: endpoint.id,
      version,
      policy,
      signal: signalOf(result),
      isGone: result.disableEndpoint ?? false,
      heldUntilMs: slowdown.heed({ endpointId: endpoint.id, result, startedAtMs, endedAtMs: clock.now() }),
      target: endpoint.target,
    };
  };

  const stateOf = async (endpointId: string, entity: string): Promise<unknown> => {
    const [row] = await statements.loadState(query, endpointId, entity);
    return row === undefined ? null : JSON.parse(row.state);
  };

  /** Only what is about one entity has to wait for its turn: the second message edits what the first one sent. */
  const placeOf = (destination: Destination, job: Job): Place => {
    if (job.recipient.kind === "direct" || !registry.keepsState(destination.id)) {
      return { destination, entity: null, exclusive: false };
    }
    const entity = destination.entityOf?.(job.event);
    return { destination, entity: storableEntity(entity ?? "*"), exclusive: entity !== undefined };
  };

  /** Then there is nothing to send any more, and the destination is told so. */
  const isPast = ({ deadlineMs }: Job): boolean => deadlineMs !== null && clock.now() >= deadlineMs;

  const end = (job: Job, result: AttemptResult): Promise<void> => {
    const nowMs = clock.now();
    const row = verdict({ job, result, policy: {}, entity: null, startedAtMs: nowMs, endedAtMs: nowMs });
    return outcomes.recordAndWait({ row, job, endpoint: null });
  };

  /** What was attempted once, or is sent again by hand, is wanted. What was only put off was not attempted. */
  const isUnwanted = async (job: Job, accepts: (data: unknown) => boolean): Promise<boolean> => {
    if (job.attempts !== job.firstAttempt || thinking.timed(job.tenantId, () => accepts(job.event.data))) return false;
    return job.attempts === 0 || (await statements.hasBeenAttempted(query, job.deliveryId)).length === 0;
  };

  const run = async (job: Job): Promise<void> => {
    if (interrupted) return giveBack(job, 0);
    if (job.missing) {
      const reason = "The event or direct send is no longer stored.";
      return end(job, { outcome: "dead", errorCode: "payload_expunged", reason });
    }
    let opened: Opened | null;
    try {
      const opening = open(job);
      opened = opening instanceof Promise ? await opening : opening;
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      await putOffUnreadable(job, error);
      outcomes.returnProbe(job, clock.now() + ELSEWHERE_MS);
      return;
    }
    if (job.expunged) {
      return end(job, { outcome: "dead", errorCode: "payload_expunged", reason: "The payload was expunged." });
    }
    if (opened === null) {
      const reason = "The endpoint was deleted.";
      return end(job, { outcome: "dead", errorCode: "endpoint_deleted", reason });
    }
    if (!opened.active) return giveBack(job, 1);
    options.onOpened(laneOf(job), opened.policy);
    const thinksForMs = isPast(job) ? 0 : thinking.waitMs(job.tenantId);
    if (thinksForMs > 0) return options.postpone(job, [], clock.now() + thinksForMs);
    let unwanted: boolean;
    try {
      unwanted = opened.accepts !== null && (await isUnwanted(job, opened.accepts));
    } catch (error) {
      return end(job, planFailed(error));
    }
    if (unwanted) return outcomes.discard(job);
    const destination = registry.get(opened.destinationId);
    if (destination === undefined) {
      logger.warn({ destination: opened.destinationId, deliveryId: job.deliveryId }, "no such destination here");
      return giveBack(job, 0, ELSEWHERE_MS);
    }
    let place: Place;
    try {
      place = placeOf(destination, job);
    } catch (error) {
      return end(job, planFailed(error));
    }
    const holding = heldEntity(job, opened, place);
    const held = holding instanceof Promise ? await holding : holding;
    if (held === null) return giveBack(job, 0);
    try {
      const buckets = isPast(job) ? null : throttle.bucketsOf(job, opened.policy);
      if (buckets !== null) {
        const { granted, nextAtMs } = await throttle.take(buckets, 1);
        if (granted === 0) return options.postpone(job, buckets, nextAtMs);
      }
      await makeAttempt(job, opened, { ...place, state: held.state });
    } finally {
      if (held !== STATELESS) await held.release();
    }
  };

  /** The state that the attempt goes by; null when it could not be had in time. */
  const heldEntity = (
    job: Job,
    opened: Opened,
    { entity, exclusive }: Place,
  ): HeldEntity | null | Promise<HeldEntity | null> => {
    if (!mayBegin(job, opened)) return null;
    const endpointId = opened.endpoint.id ?? "";
    if (entity === null) return STATELESS;
    if (!exclusive) return stateOf(endpointId, entity).then((state) => ({ ...STATELESS, state }));
    return entities.take({ endpointId, entity, job, mayWait: () => mayBegin(job, opened) });
  };

  return {
    async run(job) {
      try {
        await run(job);
      } catch (error) {
        logger.error({ err: error, deliveryId: job.deliveryId }, "a delivery could not be attempted");
        giveBack(job, 0, ELSEWHERE_MS);
      }
    },
    interrupt() {
      interrupted = true;
      for (const end of running) end.abort(new Error("The dispatcher is stopping."));
    },
  };
}

/** An index holds no more than some 2,700 bytes of a row: a long entity is known by its hash. */
function storableEntity(entity: string): string {
  const text = plainText(entity);
  return text.length <= MAX_ENTITY_CHARACTERS ? text : `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

function planFailed(error: unknown): AttemptResult {
  return { outcome: "dead", errorCode: "plan_failed", reason: error instanceof Error ? error.message : String(error) };
}

/** Something may have been sent: what cannot be read is written down too, and counts in the schedule. */
function failedAttempt(error: unknown): AttemptResult {
  return {
    outcome: "retry",
    errorCode: "interpret_failed",
    reason: error instanceof Error ? error.message : String(error),
  };
}
