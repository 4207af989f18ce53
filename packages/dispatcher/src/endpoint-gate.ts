import type { Clock } from "@hookline/core";
import type { Job } from "./job.js";

/** What keeps deliveries from an endpoint. */
export interface Blockade {
  /** Only probes get through, one at a time. */
  readonly isOpen: boolean;
  /** Nothing gets through before. */
  readonly untilMs: number | null;
}

/** What an endpoint's recorded attempts have led to. */
export interface KnownHealth extends Blockade {
  readonly version: number;
  readonly isFailing: boolean;
}

/** Lets jobs through to endpoints, or says that they have to wait. */
export interface EndpointGate {
  /** Whether it may be attempted now. When not, `onDue` is called once it is worth another look. */
  admits(job: Job): boolean;
  /** Whether a success of this job would be news. */
  isFailing(job: Job): boolean;
  /** What this process has recorded just now. */
  learn(endpointId: string, health: KnownHealth): void;
  /** The database let deliveries of it through, so what was known is out of date. */
  forget(endpointId: string): void;
  isBlocked(endpointId: string): boolean;
  prune(): void;
  stop(): void;
}

const KEPT_MS = 600_000;

/**
 * Jobs say how their endpoint was when they were read; what this process recorded since counts beside it, for the
 * version of the endpoint that it was recorded for.
 */
export function createEndpointGate(options: {
  readonly clock: Clock;
  /** Whatever kept an endpoint's deliveries back has passed. */
  readonly onDue: (endpointId: string) => void;
}): EndpointGate {
  const { clock } = options;
  const known = new Map<string, KnownHealth & { readonly learntAtMs: number }>();
  const timers = new Map<string, { readonly atMs: number; readonly cancel: () => void }>();

  const arm = (endpointId: string, atMs: number): void => {
    const armed = timers.get(endpointId);
    if (armed !== undefined && armed.atMs <= atMs) return;
    armed?.cancel();
    const due = (): void => {
      timers.delete(endpointId);
      options.onDue(endpointId);
    };
    timers.set(endpointId, { atMs, cancel: clock.setTimer(due, atMs - clock.now()) });
  };

  /** Jobs said so that were read before. */
  const disarm = (endpointId: string): void => {
    timers.get(endpointId)?.cancel();
    timers.delete(endpointId);
  };

  const isBlocking = ({ isOpen, untilMs }: Blockade): boolean => isOpen || (untilMs !== null && untilMs > clock.now());

  const armAfter = (endpointId: string, { untilMs }: Blockade): void => {
    if (untilMs !== null && untilMs > clock.now()) arm(endpointId, untilMs);
  };

  const learnt = (job: Job): KnownHealth | undefined => {
    if (job.recipient.kind === "direct") return undefined;
    const entry = known.get(job.recipient.endpointId);
    return entry?.version === job.recipient.version ? entry : undefined;
  };

  return {
    admits(job) {
      if (job.recipient.kind === "direct" || job.isProbe) return true;
      const { endpointId } = job.recipient;
      const blockade = [learnt(job), job.health].find((each) => each != null && isBlocking(each));
      if (blockade == null) return true;
      armAfter(endpointId, blockade);
      return false;
    },
    isFailing: (job) => job.health !== null || learnt(job)?.isFailing === true,
    learn(endpointId, health) {
      known.set(endpointId, { ...health, learntAtMs: clock.now() });
      if (isBlocking(health)) armAfter(endpointId, health);
      else disarm(endpointId);
    },
    forget(endpointId) {
      known.delete(endpointId);
    },
    isBlocked(endpointId) {
      const { untilMs = null } = known.get(endpointId) ?? {};
      return timers.has(endpointId) || (untilMs !== null && untilMs > clock.now());
    },
    prune() {
      for (const [endpointId, { learntAtMs, untilMs }] of known) {
        if (Math.max(learntAtMs, untilMs ?? 0) < clock.now() - KEPT_MS) known.delete(endpointId);
      }
    },
    stop() {
      for (const { cancel } of timers.values()) cancel();
      timers.clear();
      known.clear();
    },
  };
}
