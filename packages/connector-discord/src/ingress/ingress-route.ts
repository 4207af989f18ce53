import {
  type Clock,
  type ConnectorContext,
  type ConnectorRoute,
  type IngestResult,
  problemResponse,
  type Transaction,
} from "@hookline/core";
import { z } from "zod";
import { INGRESS_LIMITS, type IngressAnswer, type IngressItem, type IngressResult } from "../ingress-contract.js";
import { isPlain, readPlainPacket } from "./plain-ingress.js";
import { openShardLeases } from "./shard-leases.js";
import { readSignedJson } from "./signed-json.js";
import type { Transform } from "./transform.js";
import { GUILD_NOT_MAPPED, type Transformed } from "./transformed.js";

export interface IngressRouteOptions {
  readonly secrets: readonly string[];
  /** Null: packets that bring the secret itself are refused. */
  readonly plainSecret: string | null;
  readonly transform: Transform;
  readonly clock: Clock;
}

const batchSchema = z.object({
  items: z.array(z.unknown()),
  fences: z.record(z.string(), z.number().int()).optional(),
});

const itemSchema = z.object({
  key: z.string().min(1).max(200),
  sessionId: z.string().min(1).max(200),
  shard: z.number().int().min(0),
  seq: z.number().int().min(0),
  type: z.string().min(1).max(100),
  receivedAt: z.iso.datetime({ offset: true }),
  d: z.unknown(),
});

/** Where the gateway worker posts its batches: verified before anything is parsed, one result for each item, in order. */
export function createIngressRoute(options: IngressRouteOptions): ConnectorRoute {
  const { secrets, transform, clock } = options;
  const { maxBodyBytes } = INGRESS_LIMITS;

  async function handlePlain(request: Request, context: ConnectorContext): Promise<Response> {
    const { plainSecret: secret } = options;
    const { state } = context;
    const packet = await readPlainPacket(request, { secret, nowMs: clock.now(), maxBodyBytes, state });
    if (!packet.ok) return packet.response;
    const { item } = packet;
    const results = await store([{ key: item.key, item }], context, UNFENCED);
    return Response.json({ results } satisfies IngressAnswer);
  }

  async function handle(request: Request, context: ConnectorContext): Promise<Response> {
    if (isPlain(request)) return handlePlain(request, context);
    const body = await readSignedJson(request, { secrets, clock, maxBodyBytes });
    if (!body.ok) return body.response;
    const batch = batchSchema.safeParse(body.value);
    if (!batch.success)
      return problemResponse({ status: 400, code: "invalid_batch", detail: "The body is { items: […] }." });
    const { items, fences } = batch.data;
    if (items.length > INGRESS_LIMITS.maxItems) {
      return problemResponse({
        status: 400,
        code: "too_many_items",
        detail: `A batch holds at most ${INGRESS_LIMITS.maxItems} items.`,
      });
    }
    const read = items.map(readItem);
    const claim = { shards: [...new Set(read.flatMap(({ item }) => item?.shard ?? []))], fences };
    const leases = openShardLeases(context.state, clock.now);
    const checkFence = async (transaction?: Transaction) => {
      const shard = await leases.fencedOff(claim, transaction);
      if (shard !== null) throw new FencedOff(shard);
    };
    try {
      await checkFence();
      return Response.json({ results: await store(read, context, checkFence) } satisfies IngressAnswer);
    } catch (error) {
      if (!(error instanceof FencedOff)) throw error;
      return problemResponse({ status: 409, code: "fenced", detail: error.message });
    }
  }

  /** `before` is called within each transaction that stores, and takes it back where it throws. */
  async function store(
    read: readonly ReadItem[],
    context: ConnectorContext,
    before: (transaction: Transaction) => Promise<void>,
  ): Promise<IngressResult[]> {
    const outcomes = await transform(
      read.flatMap(({ item }) => item ?? []),
      context.state,
    );
    let nextOutcome = 0;
    const transformed = read.map(({ key, refusal }) => ({
      key,
      outcome: refusal ?? (outcomes[nextOutcome++] as Transformed),
    }));

    const results: IngressResult[] = [];
    for (const run of inRuns(transformed)) results.push(...(await storeRun(run, { context, before })));
    return results;
  }

  async function storeRun(
    run: readonly TransformedItem[],
    { context, before }: { context: ConnectorContext; before: (transaction: Transaction) => Promise<void> },
  ): Promise<IngressResult[]> {
    const inputs = run.flatMap(({ outcome }) => (outcome.kind === "ingest" ? outcome.inputs : []));
    const ingested = inputs.length === 0 ? [] : await context.ingest(inputs, { before });
    const events = run.flatMap(({ outcome }) => (outcome.kind === "publish" ? outcome.events : []));
    const publish = async (transaction: Transaction) => {
      await before(transaction);
      return context.outbox.publishMany(events, { transaction });
    };
    const published = events.length === 0 ? [] : await context.transaction(publish);
    let nextIngested = 0;
    let nextPublished = 0;
    return run.map(({ key, outcome }): IngressResult => {
      if (outcome.kind === "ingest") {
        const own = ingested.slice(nextIngested, nextIngested + outcome.inputs.length);
        nextIngested += outcome.inputs.length;
        return combine(key, own);
      }
      if (outcome.kind === "publish") {
        const own = published.slice(nextPublished, nextPublished + outcome.events.length);
        nextPublished += outcome.events.length;
        return { key, status: own.every((one) => one.duplicate) ? "duplicate" : "stored" };
      }
      if (outcome.kind === "ignored") {
        const unmapped = outcome.reason === GUILD_NOT_MAPPED;
        return { key, status: "ignored", ...(unmapped ? { code: GUILD_NOT_MAPPED } : {}) };
      }
      context.logger.warn({ key, code: outcome.code }, "a gateway packet was rejected");
      return { key, status: "rejected", code: outcome.code, message: outcome.message };
    });
  }

  return {
    method: "POST",
    path: "/ingress",
    summary: "Receives packets from the gateway worker",
    rateLimited: false,
    maxBodyBytes,
    handle,
  };
}

/** Packets that come without the name of a worker are nobody's in particular. */
const UNFENCED = async () => {};

/** Takes a transaction back whose batch came from behind a fence. */
class FencedOff extends Error {
  override readonly name = "FencedOff";

  constructor(shard: number) {
    super(`Another worker holds shard ${shard}, or none does: ask for its lease again.`);
  }
}

interface TransformedItem {
  readonly key: string;
  readonly outcome: Transformed;
}

/**
 * What people did and what is of nobody are stored by different calls: cut where one kind follows the other, so that a
 * guild's events keep their order.
 */
function inRuns(items: readonly TransformedItem[]): readonly (readonly TransformedItem[])[] {
  const runs: TransformedItem[][] = [];
  let kind: "ingest" | "publish" | null = null;
  for (const item of items) {
    const { kind: next } = item.outcome;
    const isStored = next === "ingest" || next === "publish";
    if (runs.length === 0 || (isStored && kind !== null && kind !== next)) runs.push([]);
    if (isStored) kind = next;
    runs.at(-1)?.push(item);
  }
  return runs;
}

/** One packet may have made two events: it is as good as the worse of them. */
function combine(key: string, results: readonly IngestResult[]): IngressResult {
  for (const result of results) {
    if (result.status === "rejected") return { key, status: "rejected", code: result.code, message: result.message };
  }
  return { key, status: results.some((result) => result.status === "stored") ? "stored" : "duplicate" };
}

/** One entry of a batch: an item, or why it is none. */
interface ReadItem {
  readonly key: string;
  readonly item?: IngressItem;
  readonly refusal?: Transformed;
}

function readItem(item: unknown): ReadItem {
  const parsed = itemSchema.safeParse(item);
  if (parsed.success) return { key: parsed.data.key, item: parsed.data };
  const key = typeof item === "object" && item !== null && "key" in item ? String(item.key).slice(0, 200) : "";
  const issue = parsed.error.issues[0];
  const message = `${issue?.path.join(".") || "The item"}: ${issue?.message ?? "malformed"}`;
  return { key, refusal: { kind: "rejected", code: "invalid_item", message } };
}
