import {
  type Clock,
  type ConnectorContext,
  type ConnectorRoute,
  type IngestResult,
  problemResponse,
} from "@hookline/core";
import { isWebhookVerificationError, verify } from "@hookline/webhook-signing";
import { z } from "zod";
import { INGRESS_LIMITS, type IngressAnswer, type IngressItem, type IngressResult } from "../ingress-contract.js";
import { ingressScheme } from "../ingress-scheme.js";
import type { Transform } from "./transform.js";
import type { Transformed } from "./transformed.js";

export interface IngressRouteOptions {
  readonly secrets: readonly string[];
  readonly transform: Transform;
  readonly clock: Clock;
}

const TOLERANCE_SECONDS = 300;

const batchSchema = z.object({ items: z.array(z.unknown()) });

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
export function createIngressRoute({ secrets, transform, clock }: IngressRouteOptions): ConnectorRoute {
  async function handle(request: Request, context: ConnectorContext): Promise<Response> {
    const body = new Uint8Array(await request.arrayBuffer());
    let parsed: unknown;
    try {
      const verified = verify(body, request.headers, {
        scheme: ingressScheme,
        secrets,
        toleranceSeconds: TOLERANCE_SECONDS,
        now: new Date(clock.now()),
      });
      if (!/^application\/json\b/i.test(request.headers.get("content-type") ?? "")) {
        return problemResponse({
          status: 400,
          code: "unsupported_content_type",
          detail: "The ingress takes application/json.",
        });
      }
      parsed = verified.json();
    } catch (error) {
      if (!isWebhookVerificationError(error)) throw error;
      return problemResponse({ status: error.statusCode, code: error.code, detail: error.message });
    }
    const batch = batchSchema.safeParse(parsed);
    if (!batch.success)
      return problemResponse({ status: 400, code: "invalid_batch", detail: "The body is { items: […] }." });
    const { items } = batch.data;
    if (items.length > INGRESS_LIMITS.maxItems) {
      return problemResponse({
        status: 400,
        code: "too_many_items",
        detail: `A batch holds at most ${INGRESS_LIMITS.maxItems} items.`,
      });
    }
    return Response.json({ results: await store(items, context) } satisfies IngressAnswer);
  }

  async function store(items: readonly unknown[], context: ConnectorContext): Promise<IngressResult[]> {
    const transformed: { readonly key: string; readonly outcome: Transformed }[] = [];
    for (const item of items) transformed.push(await transformItem(item));

    const inputs = transformed.flatMap(({ outcome }) => (outcome.kind === "ingest" ? outcome.inputs : []));
    const ingested = inputs.length === 0 ? [] : await context.ingest(inputs);
    let next = 0;
    const results: IngressResult[] = [];
    for (const { key, outcome } of transformed) {
      if (outcome.kind === "ingest") {
        results.push(combine(key, ingested.slice(next, next + outcome.inputs.length)));
        next += outcome.inputs.length;
      } else if (outcome.kind === "publish") {
        const published = await context.outbox.publishMany(outcome.events);
        results.push({ key, status: published.every((one) => one.duplicate) ? "duplicate" : "stored" });
      } else if (outcome.kind === "ignored") {
        results.push({ key, status: "ignored" });
      } else {
        context.logger.warn({ key, code: outcome.code }, "a gateway packet was rejected");
        results.push({ key, status: "rejected", code: outcome.code, message: outcome.message });
      }
    }
    return results;
  }

  async function transformItem(item: unknown): Promise<{ key: string; outcome: Transformed }> {
    const parsed = itemSchema.safeParse(item);
    if (parsed.success) {
      return { key: parsed.data.key, outcome: await transform(parsed.data satisfies IngressItem) };
    }
    const key = typeof item === "object" && item !== null && "key" in item ? String(item.key).slice(0, 200) : "";
    const issue = parsed.error.issues[0];
    const message = `${issue?.path.join(".") || "The item"}: ${issue?.message ?? "malformed"}`;
    return { key, outcome: { kind: "rejected", code: "invalid_item", message } };
  }

  return {
    method: "POST",
    path: "/ingress",
    summary: "Receives packets from the gateway worker",
    rateLimited: false,
    maxBodyBytes: INGRESS_LIMITS.maxBodyBytes,
    handle,
  };
}

/** One packet may have made two events: it is as good as the worse of them. */
function combine(key: string, results: readonly IngestResult[]): IngressResult {
  for (const result of results) {
    if (result.status === "rejected") return { key, status: "rejected", code: result.code, message: result.message };
  }
  return { key, status: results.some((result) => result.status === "stored") ? "stored" : "duplicate" };
}
