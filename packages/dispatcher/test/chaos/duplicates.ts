import type { Evidence, Traffic } from "./oracle.js";

/** How often an event was accepted once more than needed, by what explains it. */
export interface Duplicates {
  /** Its process was killed between sending and recording. */
  readonly processKilled: number;
  /** The database was gone when the outcome was to be recorded. */
  readonly databaseKilled: number;
  /** The lease ran out while its process lived. */
  readonly leaseRanOut: number;
  /** The answer did not come in time, so the sender had to take the attempt for failed. */
  readonly unanswered: number;
  /** What is known of the events behind those that nothing explains. */
  readonly unexplained: readonly string[];
}

type Reason = Exclude<keyof Duplicates, "unexplained">;

type Killings = Pick<Evidence, "processes" | "databaseKilledAtMs">;

/** Each duplicate needs an attempt of its own whose outcome is not recorded as delivered, and a reason for that. */
export function countDuplicates(traffic: Traffic, killings: Killings): Duplicates {
  const counts = { processKilled: 0, databaseKilled: 0, leaseRanOut: 0, unanswered: 0 };
  const unexplained: string[] = [];
  const acceptances = new Map<string, number>();
  for (const { eventId, isAccepted } of traffic.receptions) {
    if (isAccepted) acceptances.set(eventId, (acceptances.get(eventId) ?? 0) + 1);
  }
  for (const { id, deliveryId } of traffic.due) {
    const duplicates = Math.max(0, (acceptances.get(id) ?? 0) - 1);
    const reasons = duplicates === 0 ? [] : reasonsFor(deliveryId, traffic, killings);
    for (const reason of reasons.slice(0, duplicates)) counts[reason] += 1;
    if (reasons.length < duplicates) {
      const [taken, recorded] = [traffic.taken.get(deliveryId), traffic.recorded.get(deliveryId)];
      unexplained.push(JSON.stringify({ id, acceptances: duplicates + 1, taken, recorded }));
    }
  }
  return { ...counts, unexplained };
}

function reasonsFor(deliveryId: string, traffic: Traffic, killings: Killings): readonly Reason[] {
  const taken = traffic.taken.get(deliveryId) ?? [];
  const recorded = traffic.recorded.get(deliveryId) ?? [];
  return taken.flatMap((lease, index) => {
    const attempt = recorded.find(({ leaseNo }) => leaseNo === lease.leaseNo);
    if (attempt !== undefined) return attempt.outcome === "retry" && attempt.status === null ? ["unanswered"] : [];
    const untilMs = taken[index + 1]?.atMs ?? Number.POSITIVE_INFINITY;
    const isWithin = (atMs: number | null) => atMs !== null && lease.atMs <= atMs && atMs <= untilMs;
    const owner = killings.processes.find((process) => process.owner === lease.owner);
    if (isWithin(owner?.killedAtMs ?? null)) return ["processKilled"];
    if (killings.databaseKilledAtMs.some(isWithin)) return ["databaseKilled"];
    return untilMs >= lease.endsAtMs ? ["leaseRanOut"] : [];
  });
}
