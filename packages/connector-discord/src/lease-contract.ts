import { z } from "zod";
import { storedSessionSchema } from "./stored-session.js";

/** Bounds that both sides keep. */
export const LEASE_LIMITS = {
  minTtlMs: 1_000,
  maxTtlMs: 120_000,
  maxShards: 1_000,
  maxBodyBytes: 1024 * 1024,
} as const;

const shard = z.number().int().min(0).max(100_000);
const fence = z.number().int().min(1);
const session = storedSessionSchema.nullable();
const held = z.array(z.object({ shard, fence, session })).max(LEASE_LIMITS.maxShards);

/** What a worker asks of the leases, signed as a batch is. */
export const leaseRequestSchema = z.object({
  /** The worker, or rather its spool: the same after a restart on the same disk. */
  holder: z.string().min(16).max(100),
  ttlMs: z.number().int().min(LEASE_LIMITS.minTtlMs).max(LEASE_LIMITS.maxTtlMs),
  /** To be prolonged; `session` is the position up to which the API has everything, null to leave it as it is. */
  held,
  /** To be given back, so that nobody has to wait. */
  released: held,
  /** Shards that the worker would take if they are free, of which it gets as many as `limit` says. */
  wanted: z.array(shard).max(LEASE_LIMITS.maxShards),
  limit: z.number().int().min(0),
});

const lease = z.discriminatedUnion("status", [
  /** `continued`: nobody else has had it since. `session` is where to resume. */
  z.object({ shard, status: z.literal("held"), fence, session, continued: z.boolean() }),
  /** Somebody else has it, and is at `session`. */
  z.object({ shard, status: z.literal("taken"), session }),
  z.object({ shard, status: z.enum(["released", "free"]) }),
]);

/** One lease for each shard that was named, in the order of `held`, `released`, `wanted`. */
export const leaseAnswerSchema = z.object({ leases: z.array(lease) });

export type LeaseRequest = z.infer<typeof leaseRequestSchema>;
export type LeaseAnswer = z.infer<typeof leaseAnswerSchema>;
export type Lease = LeaseAnswer["leases"][number];
