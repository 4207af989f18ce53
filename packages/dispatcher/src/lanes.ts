import { canBeSetAside, type Job, laneOf } from "./job.js";
import { createRoundRobin, type RoundRobin } from "./round-robin.js";

export interface Lanes {
  /** Takes a job in, unless its lane or all of them together are full. */
  offer(job: Job): boolean;
  /** Gives up the waiting jobs for which `isStale` is true. */
  withdraw(isStale: (job: Job) => boolean): readonly Job[];
  /** Gives up the waiting jobs of one lane. */
  withdrawLane(lane: string): readonly Job[];
  /** What one lane may have in flight, now that it is known; null for as much as any other. */
  limitLane(lane: string, maxInFlight: number | null): void;
  /** Resolves when nothing waits and nothing is in flight. */
  idle(): Promise<void>;
  /** How many jobs wait in one lane. */
  waitingIn(lane: string): number;
  /** How many more may be fetched for one lane; none before half of those that may wait are gone. */
  wantedIn(lane: string): number;
  /** How many more jobs may wait; 0 while those that do are too large together. */
  room(): number;
  /** Whether a lane has much waiting that it takes in a moment: to fetch more now would only fill it up. */
  readonly isAhead: boolean;
  readonly waiting: number;
  readonly inFlight: number;
}

interface Tenant {
  readonly id: string;
  readonly turns: RoundRobin<Lane>;
  lanes: number;
  inFlight: number;
}

interface Lane {
  readonly key: string;
  readonly tenant: Tenant;
  /** What does not fit in has to come back through the line. */
  readonly staysInLine: boolean;
  jobs: Job[];
  inFlight: number;
  /** How many it may have in flight by what it has shown; 0 before it has answered. */
  window: number;
  maxInFlight: number;
  readonly madeAtMs: number;
  /** Between two jobs that it took while it had more, smoothed. */
  paceMs: number;
  /** When it took the last one; null when nothing waited behind that. */
  tookAtMs: number | null;
}

/** What may be in flight to an endpoint that has not answered yet, where there is plenty of room. */
const FIRST_WINDOW = 4;
/** What may wait for an endpoint that has not answered yet. */
const FIRST_WAITING = 64;
/** What may wait for each request that an endpoint may have in flight. */
const WAITING_PER_SLOT = 4;
/** An endpoint may have waiting what it takes within that time, if that is more. */
const QUICK_MS = 200;
/** Fetching waits for an endpoint that takes a job as often as that. */
const QUICK_PACE_MS = 4;
/** With so few waiting an endpoint never makes fetching wait. */
const MUCH = 32;
/** What is assumed of an endpoint until it has taken some. */
const FIRST_PACE_MS = 20;
/** So long fetching waits for the first answer of an endpoint. */
const NEW_MS = 50;
/** What the last of the times between two jobs counts. */
const PACE_WEIGHT = 0.05;
/** How long an endpoint that has run dry keeps what it has shown. */
const REMEMBERED_MS = 1_000;
const MAX_ANSWERED = 10_000;
/** How many of those that found no room look again when a slot is free. */
const UNPARKED = 4;

/**
 * A bounded queue in memory with a line for each endpoint, gathered by tenant. Tenants take turns, and so do the
 * endpoints within one. Neither gets more than three quarters of what the others leave, so there is always room for
 * one that comes new; and an endpoint begins with few requests and gets more as it answers, so those that hang hold
 * few slots however many they are.
 */
export function createLanes(options: {
  readonly maxInFlight: number;
  readonly maxInFlightPerLane: number;
  /** Null for no limit beside the share. */
  readonly maxInFlightOfTenant?: (tenantId: string) => number | null;
  /** Fewer than that, for a lane that has to go slow for now; at least 1. */
  readonly slowedTo?: (lane: string) => number;
  /** What is known of an endpoint's own limit; undefined before it is, null for none. */
  readonly maxInFlightOfLane?: (job: Job) => number | null | undefined;
  readonly maxWaiting: number;
  readonly maxWaitingPerLane: number;
  /** Of the data of the jobs that wait. The one that goes beyond it is still taken. */
  readonly maxWaitingBytes: number;
  /** An attempt that took longer halves what its endpoint may have in flight. */
  readonly slowMs: number;
  readonly now: () => number;
  /** Runs one job; its slot is free when the promise settles. Must not reject. */
  readonly run: (job: Job) => Promise<void>;
  /** Called when a lane has run dry or a slot is free again. */
  readonly onFree: (lane: string) => void;
}): Lanes {
  const { maxInFlightPerLane, maxInFlightOfTenant, maxInFlightOfLane, now } = options;
  const tenants = new Map<string, Tenant>();
  const lanes = new Map<string, Lane>();
  /** Lanes that are gone and whose endpoints answered to the last, as they were then. */
  const answered = new Map<string, Pick<Lane, "window" | "paceMs"> & { readonly leftAtMs: number }>();
  const turns = createRoundRobin<Tenant>();
  /** Lanes with much waiting. */
  const busy = new Set<Lane>();
  let waiting = 0;
  let waitingBytes = 0;
  let inFlight = 0;
  let idlers: (() => void)[] = [];

  const limitOfTenant = (tenant: Tenant): number =>
    Math.min(share(options.maxInFlight - (inFlight - tenant.inFlight)), maxInFlightOfTenant?.(tenant.id) ?? Infinity);

  const limitOfLane = (lane: Lane, tenantLimit: number): number => {
    const window = lane.window > 0 ? lane.window : firstWindow(options.maxInFlight - inFlight);
    const left = tenantLimit - (lane.tenant.inFlight - lane.inFlight);
    // A tenant's only endpoint leaves nothing to its others, or a tenant with many would get more than one with one.
    const isAlone = lane.tenant.lanes === 1 && tenants.size > 1;
    const most = Math.min(lane.maxInFlight, options.slowedTo?.(lane.key) ?? lane.maxInFlight);
    return Math.min(isAlone ? left : share(left), window, most);
  };

  const line = (lane: Lane): void => {
    if (lane.jobs.length === 0) return;
    lane.tenant.turns.line(lane);
    turns.line(lane.tenant);
  };

  const leave = (lane: Lane): void => {
    if (lane.inFlight > 0 || lane.jobs.length > 0 || !lanes.delete(lane.key)) return;
    answered.delete(lane.key);
    if (lane.window >= FIRST_WINDOW) {
      answered.set(lane.key, { window: lane.window, paceMs: lane.paceMs, leftAtMs: now() });
    }
    const [oldest] = answered.size > MAX_ANSWERED ? answered.keys() : [];
    if (oldest !== undefined) answered.delete(oldest);
    lane.tenant.lanes -= 1;
    if (lane.tenant.lanes === 0) tenants.delete(lane.tenant.id);
  };

  const finish = (lane: Lane, startedAtMs: number): void => {
    inFlight -= 1;
    lane.inFlight -= 1;
    lane.tenant.inFlight -= 1;
    const grown = Math.min(maxInFlightPerLane, Math.max(FIRST_WINDOW, lane.window) + 1);
    lane.window = now() - startedAtMs > options.slowMs ? Math.max(1, lane.window >> 1) : grown;
    line(lane);
    lane.tenant.turns.unpark(UNPARKED);
    if (!lane.tenant.turns.isEmpty) turns.line(lane.tenant);
    turns.unpark(UNPARKED);
    options.onFree(lane.key);
    leave(lane);
    pump();
    if (inFlight === 0 && waiting === 0) {
      const resolved = idlers;
      idlers = [];
      for (const resolve of resolved) resolve();
    }
  };

  const room = (): number => (waitingBytes >= options.maxWaitingBytes ? 0 : Math.max(0, options.maxWaiting - waiting));

  /**
   * How many may wait for an endpoint: more the more it has shown to take, and an eighth of what is free at most. One
   * that has not answered keeps its hands off the second half of the places, however many of its kind there are.
   * What cannot be set aside gets as much as an endpoint can get.
   */
  const maxWaitingOf = (lane: Lane | undefined): number => {
    if (lane !== undefined && (lane.window > 0 || lane.staysInLine)) {
      const shown = lane.staysInLine ? Number.POSITIVE_INFINITY : lane.window * WAITING_PER_SLOT;
      return Math.max(Math.min(options.maxWaitingPerLane, shown, Math.floor(room() / 8)), quickWaitingOf(lane));
    }
    return Math.max(0, Math.min(FIRST_WAITING, Math.floor((room() - options.maxWaiting / 2) / 8)));
  };

  /** What an endpoint takes so soon that nobody else misses the places: at most half of what is free. */
  const quickWaitingOf = ({ paceMs }: Lane): number =>
    Math.min(options.maxWaitingPerLane * 2, QUICK_MS / paceMs, Math.floor(room() / 2));

  const isLaneAhead = (lane: Lane): boolean =>
    lane.window === 0
      ? now() - lane.madeAtMs < NEW_MS
      : lane.paceMs <= QUICK_PACE_MS && lane.jobs.length * 2 > Math.max(MUCH * 2, quickWaitingOf(lane));

  const notePace = (lane: Lane, nowMs: number): void => {
    if (lane.tookAtMs !== null) lane.paceMs += PACE_WEIGHT * (Math.max(0, nowMs - lane.tookAtMs) - lane.paceMs);
    lane.tookAtMs = lane.jobs.length > 0 ? nowMs : null;
    if (lane.jobs.length <= MUCH) busy.delete(lane);
  };

  const start = (lane: Lane, job: Job): void => {
    waiting -= 1;
    waitingBytes -= bytesOf(job);
    inFlight += 1;
    lane.inFlight += 1;
    lane.tenant.inFlight += 1;
    const startedAtMs = now();
    notePace(lane, startedAtMs);
    const finished = () => finish(lane, startedAtMs);
    options.run(job).then(finished, finished);
  };

  /** The next job of a tenant that has its turn; parks the lanes that have no room, and the tenant when it has none. */
  const startNextOf = (tenant: Tenant): void => {
    const limit = limitOfTenant(tenant);
    if (tenant.inFlight >= limit) {
      turns.park(tenant);
      return;
    }
    for (let lane = tenant.turns.next(); lane !== undefined; lane = tenant.turns.next()) {
      if (lane.jobs.length === 0) continue;
      if (lane.inFlight >= limitOfLane(lane, limit)) {
        tenant.turns.park(lane);
        continue;
      }
      const job = lane.jobs.shift() as Job;
      line(lane);
      if (!tenant.turns.isEmpty) turns.line(tenant);
      start(lane, job);
      return;
    }
  };

  const pump = (): void => {
    while (inFlight < options.maxInFlight) {
      const tenant = turns.next();
      if (tenant === undefined) return;
      startNextOf(tenant);
    }
  };

  /** An endpoint that had nothing to do for a moment goes on as it was; later it begins with few requests again. */
  const shownBefore = (key: string, nowMs: number): Pick<Lane, "window" | "paceMs"> => {
    const known = answered.get(key);
    if (known === undefined) return { window: 0, paceMs: FIRST_PACE_MS };
    if (nowMs - known.leftAtMs > REMEMBERED_MS) return { window: FIRST_WINDOW, paceMs: FIRST_PACE_MS };
    return { window: known.window, paceMs: known.paceMs };
  };

  const createLane = (key: string, job: Job): Lane => {
    let tenant = tenants.get(job.tenantId);
    if (tenant === undefined) {
      tenant = { id: job.tenantId, turns: createRoundRobin(), lanes: 0, inFlight: 0 };
      tenants.set(job.tenantId, tenant);
    }
    tenant.lanes += 1;
    const known = maxInFlightOfLane === undefined ? null : maxInFlightOfLane(job);
    // One at a time until it is known how many there may be: the first attempt looks it up.
    const maxInFlight = known === undefined ? 1 : (known ?? maxInFlightPerLane);
    const staysInLine = !canBeSetAside(job);
    const madeAtMs = now();
    const shown = shownBefore(key, madeAtMs);
    const lane: Lane = {
      key,
      tenant,
      staysInLine,
      jobs: [],
      inFlight: 0,
      maxInFlight,
      madeAtMs,
      tookAtMs: null,
      ...shown,
    };
    lanes.set(key, lane);
    return lane;
  };

  const withdrawFrom = (lane: Lane, isStale: (job: Job) => boolean): readonly Job[] => {
    const withdrawn: Job[] = [];
    const kept: Job[] = [];
    for (const job of lane.jobs) (isStale(job) ? withdrawn : kept).push(job);
    if (withdrawn.length === 0) return withdrawn;
    lane.jobs = kept;
    if (kept.length <= MUCH) busy.delete(lane);
    if (kept.length === 0) lane.tookAtMs = null;
    waiting -= withdrawn.length;
    for (const job of withdrawn) waitingBytes -= bytesOf(job);
    leave(lane);
    return withdrawn;
  };

  return {
    offer(job) {
      const key = laneOf(job);
      let lane = lanes.get(key);
      if (room() === 0 || (lane !== undefined && lane.jobs.length >= maxWaitingOf(lane))) return false;
      lane ??= createLane(key, job);
      lane.jobs.push(job);
      if (lane.jobs.length > MUCH) busy.add(lane);
      waiting += 1;
      waitingBytes += bytesOf(job);
      line(lane);
      pump();
      return true;
    },
    withdraw: (isStale) => [...lanes.values()].flatMap((lane) => withdrawFrom(lane, isStale)),
    withdrawLane(key) {
      const lane = lanes.get(key);
      return lane === undefined ? [] : withdrawFrom(lane, () => true);
    },
    limitLane(key, maxInFlight) {
      const lane = lanes.get(key);
      const limit = maxInFlight ?? maxInFlightPerLane;
      if (lane === undefined || lane.maxInFlight === limit) return;
      lane.maxInFlight = limit;
      line(lane);
      pump();
    },
    idle: () => (inFlight === 0 && waiting === 0 ? Promise.resolve() : new Promise((resolve) => idlers.push(resolve))),
    waitingIn: (lane) => lanes.get(lane)?.jobs.length ?? 0,
    wantedIn(key) {
      const lane = lanes.get(key);
      const [jobs, most] = [lane?.jobs.length ?? 0, maxWaitingOf(lane)];
      if (jobs === 0) return Math.max(1, most);
      return jobs * 2 > most ? 0 : most - jobs;
    },
    room,
    get isAhead() {
      for (const lane of busy) if (isLaneAhead(lane)) return true;
      return false;
    },
    get waiting() {
      return waiting;
    },
    get inFlight() {
      return inFlight;
    },
  };
}

/** Of what the others leave. The rest is for whoever comes next. */
function share(left: number): number {
  return Math.max(1, Math.ceil((left * 3) / 4));
}

function firstWindow(free: number): number {
  return Math.max(1, Math.min(FIRST_WINDOW, Math.floor(free / 16)));
}

/** What a job's data take in memory, roughly: most texts have a byte for each character there. */
function bytesOf(job: Job): number {
  return job.event.dataText.length;
}
