import { AsyncResource } from "node:async_hooks";
import type { Database } from "@hookline/postgres";
import type { AddressGuard } from "./address-guard.js";
import { createArrivals } from "./arrivals.js";
import { createClaims } from "./claims.js";
import { createDeliveryRun } from "./delivery-run.js";
import type { DestinationRegistry } from "./destinations/registry.js";
import type { EndpointCache } from "./endpoint-cache.js";
import type { EndpointCodec } from "./endpoint-codec.js";
import { createEndpointProtection } from "./endpoint-protection.js";
import { createGoneRelease } from "./gone-release.js";
import type { QueueHealth } from "./health.js";
import type { HookCalls } from "./hooks.js";
import { createHttpSender } from "./http-sender.js";
import { canBeSetAside, type Job, laneOf } from "./job.js";
import { jobOf } from "./jobs.js";
import { createLanes } from "./lanes.js";
import { createLine } from "./line.js";
import { createMeters } from "./meters.js";
import type { OperationalLog } from "./operational-log.js";
import type { Settings } from "./options.js";
import { createOriginPools } from "./origin-pools.js";
import { createOutsideSweep } from "./outside-sweep.js";
import { createPausedLanes } from "./paused-lanes.js";
import { createQueueVacuum } from "./queue-vacuum.js";
import { createRateGate } from "./rate-gate.js";
import { createRecorder } from "./recorder.js";
import { createSingleRuns } from "./single-runs.js";
import type { ClaimParams } from "./sql/claim-deliveries.js";
import { isoTime } from "./sql/columns.js";
import type { Statements } from "./sql/statements.js";
import { createStopLimit } from "./stop-limit.js";
import { createThrottle } from "./throttle.js";
import type { Traces } from "./traces.js";

export interface Worker {
  /** Takes jobs that were inserted under a lease of this process. */
  handOver(jobs: readonly Job[]): void;
  /** Looks at the queue now, and back as far as `sinceMs`; without it, at everything that is due. */
  wake(sinceMs?: number): void;
  /** Until when deliveries that are inserted now may be leased to this worker; null when it has no room. */
  leasedUntilMs(): number | null;
  /** Claims no more, lets attempts end, gives the rest back; waits for hooks. Never rejects, and always ends in time. */
  stop(beside: Promise<unknown>): Promise<void>;
  readonly inFlight: number;
  readonly waiting: number;
  /** When the queue was last read successfully. */
  readonly lastReadAtMs: number;
  /** The queue could not be read, or outcomes not be written, for a while. */
  readonly isStalled: boolean;
}

export interface WorkerOptions {
  readonly settings: Settings;
  readonly database: Database;
  readonly statements: Statements;
  readonly registry: DestinationRegistry;
  readonly endpoints: EndpointCache;
  readonly codec: EndpointCodec;
  readonly traces: Traces;
  readonly queueHealth: () => Promise<QueueHealth | null>;
  readonly guard: AddressGuard;
  /** Wakes on each notification. */
  readonly channel: string;
  readonly hooks: HookCalls;
  readonly log: OperationalLog;
}

/** More outcomes than this waiting for the database: nothing new is begun. */
const MAX_UNRECORDED = 5_000;

/** The delivery loop: claim, attempt, record. */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { settings, database, statements, hooks } = options;
  const { clock, logger } = settings;
  // Whoever wakes the loop from inside a transaction must not pull it into that transaction.
  const scope = new AsyncResource("hookline.dispatcher");
  const pools = createOriginPools({
    guard: options.guard,
    connectTimeoutMs: settings.maxTimeoutMs,
    clock,
    proxy: settings.proxy,
  });
  const setAside = new Set<string>();
  const background = new Set<Promise<void>>();
  let stopped = false;
  let cancelSweep: () => void = () => {};
  const nextOutside = createOutsideSweep({ query: database.query, statements, clock });
  const gones = createGoneRelease({
    query: database.query,
    statements,
    clock,
    inBackground,
    onReleased: () => claims.wake(),
  });

  const protection = createEndpointProtection({
    ...options,
    isBusy: (endpointId) => lanes.waitingIn(endpointId) >= settings.maxInFlightPerEndpoint,
    evict(endpointId) {
      for (const job of lanes.withdrawLane(endpointId)) offerElsewhere(job);
    },
    pull(endpointId) {
      setAside.add(endpointId);
      pull(endpointId);
    },
  });
  const recorder = createRecorder({
    query: database.query,
    statements,
    clock,
    logger,
    hooks,
    protection,
    onRetry: (atMs) => claims.wakeAt(atMs),
    onTurn: () => claims.wake(),
  });
  const line = createLine({ ...settings, query: database.query, statements });
  const gate = createRateGate({ query: database.query, statements, clock });
  const vacuum = createQueueVacuum({ clock, database, statements });
  const throttle = createThrottle({ tenantLimits: settings.tenantLimits, gate, logger });
  const paused = createPausedLanes({
    clock,
    throttle,
    onResume: (lane) => (setAside.has(lane) ? pull(lane) : paused.forget(lane)),
  });
  const meters = createMeters(settings.telemetry.meterProvider ?? null, {
    inFlight: () => lanes.inFlight,
    waiting: () => lanes.waiting,
    queue: options.queueHealth,
  });
  const run = createDeliveryRun({
    ...options,
    throttle,
    slowdown: protection.slowdown,
    meters,
    onOpened: (lane, policy) => lanes.limitLane(lane, policy.maxInFlight ?? null),
    postpone(job, buckets, untilMs) {
      paused.pause(job, buckets, untilMs);
      // What waits here would wait for tokens too, in the place of others.
      for (const waiting of [job, ...lanes.withdrawLane(laneOf(job))]) offerElsewhere(waiting);
    },
    query: database.query,
    sender: createHttpSender({ guard: options.guard, pools, maxResponseBytes: settings.maxResponseBytes }),
    outcomes: recorder,
  });
  const lanes = createLanes({
    maxInFlight: settings.maxInFlight,
    maxInFlightPerLane: settings.maxInFlightPerEndpoint,
    maxInFlightOfTenant: (tenantId) => throttle.limitsOfTenant(tenantId).maxInFlight ?? null,
    maxInFlightOfLane({ recipient }) {
      // Those of an endpoint that is gone only have to be ended.
      if (recipient.kind === "direct" || recipient.version === null) return null;
      const known = options.endpoints.peek(recipient.endpointId);
      return known === undefined ? undefined : (known.policy.maxInFlight ?? null);
    },
    slowedTo: protection.slowdown.limitOf,
    maxWaiting: settings.maxWaiting,
    maxWaitingPerLane: settings.maxWaitingPerEndpoint,
    maxWaitingBytes: settings.maxWaitingBytes,
    slowMs: settings.timeoutMs / 2,
    now: clock.now,
    run: run.run,
    onFree(lane) {
      if (stopped) return;
      if (setAside.has(lane) && lanes.wantedIn(lane) > 0) pull(lane);
      if (claims.isHungry && lanes.room() > settings.maxWaiting / 2) claims.wake();
      claims.noteRoom();
    },
  });

  const room = (): number => (recorder.pending > MAX_UNRECORDED ? 0 : Math.min(settings.claimBatch, lanes.room()));

  const claimParams = (limit: number): ClaimParams & { readonly nowMs: number; readonly leasedUntilMs: number } => {
    const nowMs = clock.now();
    const leasedUntilMs = nowMs + settings.leaseMs;
    return { nowMs, now: isoTime(nowMs), leasedUntil: isoTime(leasedUntilMs), leasedUntilMs, limit };
  };

  const offer = (job: Job, isAdmitted = false): void => {
    const lane = laneOf(job);
    if (!stopped && (paused.isPaused(lane) || !(isAdmitted || protection.admits(job)))) {
      offerElsewhere(job);
      return;
    }
    if (!stopped && lanes.offer(job)) return;
    const isLaneFull = !stopped && lanes.room() > 0;
    const isSetAside = isLaneFull && canBeSetAside(job);
    if (isSetAside) setAside.add(lane);
    recorder.giveBack(job, {
      state: isSetAside ? 2 : 0,
      nextAtMs: clock.now() + (isLaneFull ? settings.pollMs : 0),
    });
  };

  const arrivals = createArrivals((jobs) =>
    scope.runInAsyncScope(() => {
      for (const job of jobs) offer(job);
    }),
  );
  const claims = createClaims({
    clock,
    logger,
    pollMs: settings.pollMs,
    line,
    room,
    isAhead: () => lanes.isAhead,
    paramsOf: claimParams,
    take(rows, leasedUntilMs) {
      for (const row of rows) offer(jobOf(row, leasedUntilMs));
    },
    inBackground,
  });

  function lookAndWake(sinceMs?: number): void {
    line.lookBack(sinceMs);
    claims.wake();
  }

  function inBackground(work: Promise<void>): void {
    const settled: Promise<void> = work
      .catch((error: unknown) => logger.error({ err: error }, "the delivery loop failed"))
      .finally(() => background.delete(settled));
    background.add(settled);
  }

  const pull = createSingleRuns((lane) => {
    if (stopped || paused.isPaused(lane)) return null;
    const wanted = Math.min(settings.maxInFlightPerEndpoint, lanes.wantedIn(lane), room());
    if (wanted <= 0) return null;
    // Before the query: what is set aside while it runs marks the lane anew.
    setAside.delete(lane);
    const pulled = takeSetAside(lane, wanted).catch((error: unknown) => {
      setAside.add(lane);
      throw error;
    });
    inBackground(pulled);
    return pulled;
  });

  const takeSetAside = async (lane: string, wanted: number): Promise<void> => {
    const reserved = paused.reserve(lane, wanted);
    const limit = typeof reserved === "number" ? reserved : await reserved;
    if (limit === 0) {
      setAside.add(lane);
      return;
    }
    const params = claimParams(limit);
    const { rows, chosen, isProbe } = await statements.claimSetAside(database.query, lane, params);
    if (isProbe && rows.length === 0) {
      await statements.returnProbes(database.query, [{ ...params, endpointId: lane, nextAt: params.now }]);
      // What was not its turn has left; what is locked is found by the next sweep.
      if (chosen > 0 && !stopped) return takeSetAside(lane, wanted);
    }
    if (chosen === limit) setAside.add(lane);
    else paused.forget(lane);
    for (const row of rows) offer(protection.admitted(row, params.leasedUntilMs), true);
  };

  /** Finds what nobody would be woken for, and gives back what waits here too long for its lease. */
  const sweep = async (): Promise<void> => {
    const staleMs = clock.now() + settings.maxTimeoutMs;
    for (const job of lanes.withdraw((waiting) => waiting.leasedUntilMs < staleMs)) offerElsewhere(job);
    protection.prune();
    await recorder.sweepTurns();
    const { due, gone } = await nextOutside();
    await gones.release(gone);
    await gate.sweep();
    for (const id of due) {
      setAside.add(id);
      if (lanes.waitingIn(id) === 0) pull(id);
    }
    if (!stopped) await vacuum();
  };

  function offerElsewhere(job: Job): void {
    const isSetAside = canBeSetAside(job);
    if (isSetAside) setAside.add(laneOf(job));
    recorder.giveBack(job, { state: isSetAside ? 2 : 0, nextAtMs: isSetAside ? clock.now() : laterOf(job) });
  }

  /** When a direct send comes back, which cannot be set aside: no later than its deadline is to be told. */
  function laterOf(job: Job): number {
    const lane = laneOf(job);
    const laterMs = paused.isPaused(lane) ? paused.nextAtMs(lane) : clock.now() + settings.pollMs;
    return Math.min(laterMs, job.deadlineMs ?? laterMs);
  }

  const stalledMs = Math.max(settings.pollMs * 5, 5_000);

  const armSweep = (): void => {
    cancelSweep = clock.setTimer(
      () =>
        inBackground(
          sweep().finally(() => {
            if (!stopped) armSweep();
          }),
        ),
      Math.min(settings.sweepMs, settings.leaseMs / 4),
    );
  };

  const unlisten = await database.listen(options.channel, (payload) => {
    // It says since when what was committed is due; an empty one stands for any number that were missed.
    const sinceMs = Date.parse(payload);
    lookAndWake(Number.isNaN(sinceMs) ? undefined : sinceMs);
  });
  armSweep();
  inBackground(sweep());
  claims.start();

  return {
    handOver: arrivals.add,
    wake: (sinceMs) => scope.runInAsyncScope(() => lookAndWake(sinceMs)),
    leasedUntilMs: () =>
      stopped || lanes.room() - arrivals.size < settings.maxWaiting / 10 || recorder.pending > MAX_UNRECORDED
        ? null
        : clock.now() + settings.leaseMs,
    async stop(beside) {
      stopped = true;
      claims.end();
      cancelSweep();
      gones.end();
      paused.end();
      protection.stop();
      meters.end();
      const { step, signal, end } = createStopLimit(settings, () => run.interrupt());
      // Beside the rest: a listener that is gone must not cost attempts their time.
      const unlistened = step("the listener did not end", unlisten);
      arrivals.flush();
      for (const job of lanes.withdraw(() => true)) offer(job);
      await step("reading the queue did not end", () => Promise.all(background));
      await step("attempts did not end", lanes.idle);
      await step("outcomes were not written; their deliveries are made again when their leases run out", () =>
        recorder.flush(signal),
      );
      recorder.end();
      await step("the work beside deliveries did not end", () => beside);
      await step("hooks did not end", hooks.idle);
      await unlistened;
      await step("connections did not close", pools.close);
      end();
      scope.emitDestroy();
    },
    get inFlight() {
      return lanes.inFlight;
    },
    get waiting() {
      return lanes.waiting + arrivals.size;
    },
    get isStalled() {
      return clock.now() - Math.min(claims.lastReadAtMs, recorder.unwrittenSinceMs ?? clock.now()) > stalledMs;
    },
    get lastReadAtMs() {
      return claims.lastReadAtMs;
    },
  };
}
