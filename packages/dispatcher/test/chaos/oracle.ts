import type { Database } from "@hookline/postgres";
import type { ChaosProcess } from "./chaos-process.js";
import type { Reception } from "./chaos-receiver.js";
import { countDuplicates, type Duplicates } from "./duplicates.js";
import { type RecordedAttempt, recordedAttempts, type TakenLease, takenLeases } from "./lease-audit.js";
import { findDisorder, type Order } from "./order-kept.js";

/** Who gets deliveries. */
export interface Recipient {
  /** Null: the receiver of direct sends. */
  readonly endpointId: string | null;
  /** Of events with these numbers. */
  readonly wants: (n: number) => boolean;
  readonly receptions: readonly Reception[];
}

/** All that is known after a run. */
export interface Evidence {
  readonly database: Database;
  readonly schema: string;
  readonly recipients: readonly Recipient[];
  readonly processes: readonly ChaosProcess[];
  readonly databaseKilledAtMs: readonly number[];
  readonly ordering: Order["policy"];
}

/** What the oracle says. */
export interface Verdict {
  readonly events: number;
  /** Direct ones. */
  readonly sends: number;
  readonly requests: number;
  /** Events whose transaction was rolled back, as far as a process lived to say so. */
  readonly rolledBack: number;
  readonly duplicates: Duplicates;
  /** Events with an ordering key that were sent once more after a later one; only a lease that ran out may do that. */
  readonly lateRepeats: number;
  readonly faults: Faults;
}

/** Events and sends by their number, and attempts; all of these lists have to be empty. */
export interface Faults {
  /** Committed, and never accepted by one of those who were to get it. */
  readonly lost: readonly number[];
  /** Said to be committed, and not in the database. */
  readonly vanished: readonly number[];
  /** Rolled back, and stored or received all the same. */
  readonly fromRolledBack: readonly number[];
  /** Received, and not in the database, or not for this receiver. */
  readonly invented: readonly number[];
  /** Stored without the row that its transaction wrote beside it, or the other way round. */
  readonly halfCommitted: readonly number[];
  /** Received without a valid signature. */
  readonly unverified: readonly number[];
  /** Not recorded as delivered, or more than once. */
  readonly notRecordedOnce: readonly number[];
  /** Sent in another order than that of their key: see {@link findDisorder}. */
  readonly inversions: readonly number[];
  /** Recorded by a worker that did not hold the lease. */
  readonly unfenced: readonly { readonly attempt: RecordedAttempt; readonly taken: readonly TakenLease[] }[];
}

/** An event or a direct send. */
interface Stored {
  readonly id: string;
  readonly n: number;
  readonly isRolledBack: boolean;
  readonly hasOrder: boolean;
}

/** What one recipient is to get. */
export interface Due extends Stored {
  readonly deliveryId: string;
}

/** Compares what the database holds and what the processes said with what the receivers got. */
export async function judge(evidence: Evidence): Promise<Verdict> {
  const { database, schema, recipients, processes } = evidence;
  const events = await storedIn(database, `${schema}.events`);
  const sends = await storedIn(database, `${schema}.messages`);
  const all = [...events, ...sends];
  const orders = await database.query<{ n: number }>(`select n from ${schema}.orders`);
  const deliveryIds = await deliveriesOfEvents(database, schema);
  const taken = groupBy(await takenLeases(database, schema), ({ deliveryId }) => deliveryId);
  const attempts = await recordedAttempts(database, schema);
  const recorded = groupBy(attempts, ({ deliveryId }) => deliveryId);
  const verdicts = recipients.map(({ endpointId, wants, receptions }) => {
    const wanted = endpointId === null ? sends : events.filter(({ n }) => wants(n));
    const due = wanted.map((stored) => ({
      ...stored,
      deliveryId: endpointId === null ? stored.id : (deliveryIds.get(`${stored.id} ${endpointId}`) ?? ""),
    }));
    return judgeRecipient({ due, receptions, taken, recorded }, evidence);
  });
  const stored = new Set(all.map(({ n }) => n));
  const withOrder = new Set(orders.map(({ n }) => n));
  const committed = processes.flatMap((process) => process.committed);
  const rolledBack = processes.flatMap((process) => process.rolledBack);
  const receptions = recipients.flatMap((recipient) => recipient.receptions);
  const sumOf = (count: (verdict: RecipientVerdict) => number) => verdicts.reduce((sum, each) => sum + count(each), 0);
  return {
    events: events.length,
    sends: sends.length,
    requests: receptions.length,
    rolledBack: rolledBack.length,
    duplicates: {
      processKilled: sumOf(({ duplicates }) => duplicates.processKilled),
      databaseKilled: sumOf(({ duplicates }) => duplicates.databaseKilled),
      leaseRanOut: sumOf(({ duplicates }) => duplicates.leaseRanOut),
      unanswered: sumOf(({ duplicates }) => duplicates.unanswered),
      unexplained: verdicts.flatMap(({ duplicates }) => duplicates.unexplained),
    },
    lateRepeats: sumOf(({ lateRepeats }) => lateRepeats),
    faults: {
      lost: verdicts.flatMap(({ lost }) => lost),
      vanished: committed.filter((n) => !stored.has(n)),
      fromRolledBack: [
        ...[...all, ...receptions].filter(({ isRolledBack }) => isRolledBack).map(({ n }) => n),
        ...rolledBack.filter((n) => stored.has(n)),
      ],
      invented: verdicts.flatMap(({ invented }) => invented),
      halfCommitted: [
        ...all.filter(({ n, hasOrder }) => hasOrder !== withOrder.has(n)).map(({ n }) => n),
        ...[...withOrder].filter((n) => !stored.has(n)),
      ],
      unverified: receptions.filter(({ verified }) => !verified).map(({ n }) => n),
      notRecordedOnce: verdicts.flatMap(({ notRecordedOnce }) => notRecordedOnce),
      inversions: verdicts.flatMap(({ inversions }) => inversions),
      unfenced: attempts
        .filter((attempt) => !heldLease(attempt, taken.get(attempt.deliveryId) ?? []))
        .map((attempt) => ({ attempt, taken: taken.get(attempt.deliveryId) ?? [] })),
    },
  };
}

interface RecipientVerdict extends Pick<Faults, "lost" | "invented" | "notRecordedOnce" | "inversions"> {
  readonly duplicates: Duplicates;
  readonly lateRepeats: number;
}

/** What one recipient was to get, and what it got. */
export interface Traffic {
  readonly due: readonly Due[];
  readonly receptions: readonly Reception[];
  readonly taken: ReadonlyMap<string, readonly TakenLease[]>;
  readonly recorded: ReadonlyMap<string, readonly RecordedAttempt[]>;
}

function judgeRecipient(traffic: Traffic, evidence: Evidence): RecipientVerdict {
  const { due, receptions, recorded } = traffic;
  const wanted = new Set(due.map(({ n }) => n));
  const accepted = new Set(receptions.filter(({ isAccepted }) => isAccepted).map(({ n }) => n));
  const isUnanswered = ({ deliveryId }: Due) =>
    recorded.get(deliveryId)?.some(({ outcome, status }) => outcome === "retry" && status === null) === true;
  const unanswered = new Set(due.filter(isUnanswered).map(({ n }) => n));
  const { inversions, lateRepeats } = findDisorder(receptions, { policy: evidence.ordering, unanswered });
  return {
    lost: [...wanted].filter((n) => !accepted.has(n)),
    invented: receptions.filter(({ n }) => !wanted.has(n)).map(({ n }) => n),
    notRecordedOnce: due.filter(({ deliveryId }) => deliveredTimes(recorded.get(deliveryId)) !== 1).map(({ n }) => n),
    inversions,
    lateRepeats: lateRepeats.length,
    duplicates: countDuplicates(traffic, evidence),
  };
}

async function storedIn(database: Database, table: string): Promise<readonly Stored[]> {
  const rows = await database.query<{ id: string; body: string }>(`select id, body from ${table} order by id`);
  return rows.map(({ id, body }) => ({ ...(JSON.parse(body) as Omit<Stored, "id">), id }));
}

/** By the ids of event and endpoint. */
async function deliveriesOfEvents(database: Database, schema: string): Promise<ReadonlyMap<string, string>> {
  const rows = await database.query<{ place: string; delivery_id: string }>(
    `select event_id || ' ' || endpoint_id as place, min(delivery_id) as delivery_id from ${schema}.attempts
     where event_id is not null group by 1`,
  );
  return new Map(rows.map(({ place, delivery_id }) => [place, delivery_id]));
}

function deliveredTimes(attempts: readonly RecordedAttempt[] = []): number {
  return attempts.filter(({ outcome }) => outcome === "delivered").length;
}

/** Whether the one who recorded had taken that lease, and nobody a later one before. */
function heldLease(attempt: RecordedAttempt, taken: readonly TakenLease[]): boolean {
  const lease = taken.find(({ leaseNo }) => leaseNo === attempt.leaseNo);
  const isTakenOver = taken.some(({ leaseNo, atMs }) => leaseNo > attempt.leaseNo && atMs < attempt.atMs);
  return lease?.owner === attempt.owner && !isTakenOver;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
