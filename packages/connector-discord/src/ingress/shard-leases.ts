import type { SharedState, Transaction } from "@hookline/core";
import { z } from "zod";
import type { Lease, LeaseAnswer, LeaseRequest } from "../lease-contract.js";
import { storedSessionSchema, unknownSession } from "../stored-session.js";

const recordSchema = z.object({
  holder: z.string(),
  fence: z.number(),
  grantedAtMs: z.number(),
  expiresAtMs: z.number(),
  session: storedSessionSchema.nullable(),
});

type LeaseRecord = z.infer<typeof recordSchema>;

/** A lease that nobody has asked for so long is forgotten, with the position in its session. */
const KEPT_SECONDS = 30 * 24 * 3600;
/** How often a change is tried when another process changes the same lease. */
const TRIES = 5;

const leaseKey = (shard: number) => `shard-lease:${shard}`;

interface Change {
  readonly record: LeaseRecord | null;
  readonly lease: Lease;
  /** Whether batches under the fence before it have to be stored, or refused, first. */
  readonly newFence?: boolean;
}

/** Which worker holds which shard of the Gateway; one record each in the state that all API processes share. */
export interface ShardLeases {
  settle(request: LeaseRequest): Promise<LeaseAnswer>;
  /**
   * The shard whose packets somebody else may send now, if there is one among these. With a transaction: none of the
   * others is granted to anybody else before it ends.
   */
  fencedOff(claim: FenceClaim, transaction?: Transaction): Promise<number | null>;
}

/** By which a worker shows that it still holds the shards of a batch. */
export interface FenceClaim {
  readonly shards: readonly number[];
  /** By shard; undefined for a worker that leases none. */
  readonly fences: Readonly<Record<string, number>> | undefined;
}

export function openShardLeases(state: SharedState, nowMs: () => number): ShardLeases {
  async function change(shard: number, decide: (record: LeaseRecord | null) => Change): Promise<Lease> {
    for (let tried = 1; tried <= TRIES; tried += 1) {
      const entry = (await state.get([leaseKey(shard)])).get(leaseKey(shard));
      const { record, lease, newFence = false } = decide(readRecord(entry?.value));
      if (record === null) return lease;
      const value = JSON.stringify(record);
      const written = await state.put(leaseKey(shard), {
        value,
        ttlSeconds: KEPT_SECONDS,
        ifVersion: entry?.version ?? 0,
        afterReaders: newFence,
      });
      if (written !== null) return lease;
    }
    return { shard, status: "taken", session: null };
  }

  return {
    async settle({ holder, ttlMs, held, released, wanted, limit }) {
      const leases: Lease[] = [];
      const expiresAtMs = () => nowMs() + ttlMs;
      for (const { shard, fence, session } of held) {
        leases.push(
          await change(shard, (record) => {
            if (record?.fence !== fence) return taken(shard, record);
            const next = { ...record, expiresAtMs: expiresAtMs(), session: session ?? record.session };
            return { record: next, lease: { shard, status: "held", fence, session: next.session, continued: true } };
          }),
        );
      }
      for (const { shard, fence, session } of released) {
        leases.push(
          await change(shard, (record) => {
            if (record?.fence !== fence) return taken(shard, record);
            const next = { ...record, expiresAtMs: nowMs(), session: session ?? record.session };
            return { record: next, lease: { shard, status: "released" } };
          }),
        );
      }
      let granted = 0;
      for (const shard of wanted) {
        const lease = await change(shard, (record) => {
          const continued = record?.holder === holder;
          if (record !== null && !continued && record.expiresAtMs > nowMs()) return taken(shard, record);
          if (granted >= limit) return { record: null, lease: { shard, status: "free" } };
          // The time makes it grow even where the record before was forgotten.
          const fence = Math.max((record?.fence ?? 0) + 1, nowMs());
          const unknown = record === null || continued ? null : unknownSession(record.grantedAtMs);
          const session = record?.session ?? unknown;
          return {
            record: { holder, fence, grantedAtMs: nowMs(), expiresAtMs: expiresAtMs(), session },
            lease: { shard, status: "held", fence, session, continued },
            newFence: true,
          };
        });
        granted += lease.status === "held" ? 1 : 0;
        leases.push(lease);
      }
      return { leases };
    },

    async fencedOff({ shards, fences }, transaction) {
      const entries = await state.get(shards.map(leaseKey), transaction ? { transaction } : {});
      const found = shards.find((shard) => {
        const record = readRecord(entries.get(leaseKey(shard))?.value);
        const fence = fences?.[shard];
        // A worker without leases may send only while nobody has one.
        return fence === undefined ? record !== null && record.expiresAtMs > nowMs() : record?.fence !== fence;
      });
      return found ?? null;
    },
  };
}

function taken(shard: number, record: LeaseRecord | null): Change {
  return { record: null, lease: { shard, status: "taken", session: record?.session ?? null } };
}

function readRecord(value: string | undefined): LeaseRecord | null {
  return value === undefined ? null : recordSchema.parse(JSON.parse(value));
}
