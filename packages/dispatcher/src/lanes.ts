import { type Job, laneOf } from "./job.js";

export interface Lanes {
  /** Takes a job in, unless its lane or all of them together are full. */
  offer(job: Job): boolean;
  /** Gives up the waiting jobs for which `isStale` is true. */
  withdraw(isStale: (job: Job) => boolean): readonly Job[];
  /** Resolves when nothing waits and nothing is in flight. */
  idle(): Promise<void>;
  /** How many jobs wait in one lane. */
  waitingIn(lane: string): number;
  /** How many more jobs may wait; 0 while those that do are too large together. */
  room(): number;
  readonly waiting: number;
  readonly inFlight: number;
}

interface Lane {
  readonly key: string;
  readonly jobs: Job[];
  inFlight: number;
  queued: boolean;
}

/**
 * A bounded queue in memory with a line for each endpoint. Lines take turns, and one may use no more than a quarter of
 * what is free at the moment: endpoints that hang take less and less, and the others never wait for them.
 */
export function createLanes(options: {
  readonly maxInFlight: number;
  readonly maxInFlightPerLane: number;
  readonly maxWaiting: number;
  readonly maxWaitingPerLane: number;
  /** Of the data of the jobs that wait. The one that goes beyond it is still taken. */
  readonly maxWaitingBytes: number;
  /** Runs one job; its slot is free when the promise settles. Must not reject. */
  readonly run: (job: Job) => Promise<void>;
  /** Called when a lane has run dry or a slot is free again. */
  readonly onFree: (lane: string) => void;
}): Lanes {
  const lanes = new Map<string, Lane>();
  let turns: Lane[] = [];
  let turn = 0;
  let waiting = 0;
  let waitingBytes = 0;
  let inFlight = 0;
  let idlers: (() => void)[] = [];

  const share = (): number =>
    Math.max(1, Math.min(options.maxInFlightPerLane, Math.floor((options.maxInFlight - inFlight) / 4)));

  const line = (lane: Lane): void => {
    if (lane.queued || lane.jobs.length === 0) return;
    lane.queued = true;
    turns.push(lane);
  };

  const finish = (lane: Lane): void => {
    inFlight -= 1;
    lane.inFlight -= 1;
    line(lane);
    options.onFree(lane.key);
    if (lane.inFlight === 0 && lane.jobs.length === 0) lanes.delete(lane.key);
    pump();
    if (inFlight === 0 && waiting === 0) {
      const resolved = idlers;
      idlers = [];
      for (const resolve of resolved) resolve();
    }
  };

  const room = (): number => (waitingBytes >= options.maxWaitingBytes ? 0 : Math.max(0, options.maxWaiting - waiting));

  const start = (lane: Lane, job: Job): void => {
    waiting -= 1;
    waitingBytes -= bytesOf(job);
    inFlight += 1;
    lane.inFlight += 1;
    options.run(job).then(
      () => finish(lane),
      () => finish(lane),
    );
  };

  const pump = (): void => {
    while (inFlight < options.maxInFlight && turn < turns.length) {
      const lane = turns[turn] as Lane;
      turn += 1;
      lane.queued = false;
      // A lane beyond its share gets its next turn when one of its own is done.
      if (lane.inFlight >= share()) continue;
      const job = lane.jobs.shift();
      line(lane);
      if (job !== undefined) start(lane, job);
    }
    if (turn > 1024 || turn === turns.length) {
      turns = turns.slice(turn);
      turn = 0;
    }
  };

  return {
    offer(job) {
      const key = laneOf(job);
      let lane = lanes.get(key);
      if (room() === 0 || (lane !== undefined && lane.jobs.length >= options.maxWaitingPerLane)) {
        return false;
      }
      if (lane === undefined) {
        lane = { key, jobs: [], inFlight: 0, queued: false };
        lanes.set(key, lane);
      }
      lane.jobs.push(job);
      waiting += 1;
      waitingBytes += bytesOf(job);
      line(lane);
      pump();
      return true;
    },
    withdraw(isStale) {
      const withdrawn: Job[] = [];
      for (const lane of lanes.values()) {
        const kept = lane.jobs.filter((job) => !isStale(job));
        if (kept.length === lane.jobs.length) continue;
        withdrawn.push(...lane.jobs.filter(isStale));
        lane.jobs.splice(0, lane.jobs.length, ...kept);
        if (kept.length === 0 && lane.inFlight === 0) lanes.delete(lane.key);
      }
      waiting -= withdrawn.length;
      for (const job of withdrawn) waitingBytes -= bytesOf(job);
      return withdrawn;
    },
    idle: () => (inFlight === 0 && waiting === 0 ? Promise.resolve() : new Promise((resolve) => idlers.push(resolve))),
    waitingIn: (lane) => lanes.get(lane)?.jobs.length ?? 0,
    room,
    get waiting() {
      return waiting;
    },
    get inFlight() {
      return inFlight;
    },
  };
}

/** What a job's data take in memory, roughly: most texts have a byte for each character there. */
function bytesOf(job: Job): number {
  return job.event.dataText.length;
}
