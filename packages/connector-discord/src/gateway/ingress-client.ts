import { z } from "zod";
import type { IngressResult } from "../ingress-contract.js";
import type { SignedPost } from "./signed-post.js";
import type { SpooledItem } from "./spool-record.js";
import type { PostAnswer } from "./transport.js";

/** What became of one POST, as the sender has to act on it. */
export type IngressOutcome =
  | { readonly kind: "answered"; readonly results: readonly IngressResult[] }
  /** 413: the batch is above somebody's limit; only the API's own word is a verdict on a packet. */
  | { readonly kind: "too_large"; readonly byApi: boolean; readonly retryAfterMs?: number }
  /** The API itself says that this batch will never do. */
  | { readonly kind: "refused"; readonly status: number; readonly code: string; readonly message: string }
  /** Nothing would be accepted from us now, whatever the lane. */
  | { readonly kind: "blocked"; readonly status: number; readonly advice: string; readonly retryAfterMs?: number }
  /** Another worker holds the shard now. */
  | { readonly kind: "fenced" }
  /** No answer, or one that may be another next time. */
  | { readonly kind: "failed"; readonly reason: string; readonly retryAfterMs?: number };

export interface IngressClient {
  /** Never throws; `signal` ends the request, and so does the time limit. */
  post(items: readonly SpooledItem[], signal: AbortSignal): Promise<IngressOutcome>;
}

const answerSchema = z.object({
  results: z.array(
    z.discriminatedUnion("status", [
      z.object({ key: z.string(), status: z.enum(["stored", "duplicate", "ignored"]) }),
      z.object({ key: z.string(), status: z.literal("rejected"), code: z.string(), message: z.string() }),
    ]),
  ),
});

const FENCED = "fenced";
/** For a worker that has no leases to look at: it can only try again. */
const LEASED_ELSEWHERE =
  "Other workers hold this shard by leases, and this one takes part in none: give it `shardLeases` (SHARD_LEASES) as they have, or stop them.";
const BODY_TOO_LARGE = "body_too_large";
const problemSchema = z.object({ code: z.string(), title: z.string().optional(), detail: z.string().optional() });

export function createIngressClient(options: {
  readonly url: string;
  readonly post: SignedPost;
  /** Of the shards that are leased now; null without leases. */
  readonly fences: () => ReadonlyMap<number, number> | null;
}): IngressClient {
  return {
    async post(items, signal) {
      const fences = options.fences();
      const head = fences === null ? "" : `"fences":${JSON.stringify(Object.fromEntries(fences))},`;
      const body = `{${head}"items":[${items.map((item) => item.json).join(",")}]}`;
      try {
        return readOutcome({ items, fences }, await options.post(options.url, body, signal));
      } catch (error) {
        return { kind: "failed", reason: describeFailure(error) };
      }
    },
  };
}

interface Sent {
  readonly items: readonly SpooledItem[];
  readonly fences: ReadonlyMap<number, number> | null;
}

function readOutcome({ items, fences }: Sent, { status, retryAfter: header, text }: PostAnswer): IngressOutcome {
  if (status === 200) {
    return readAnswer(items, text);
  }
  const retryAfter = retryAfterMs(header);
  const retry = retryAfter === undefined ? {} : { retryAfterMs: retryAfter };
  if (status === 413) {
    return { kind: "too_large", byApi: problemOf(text)?.code === BODY_TOO_LARGE, ...retry };
  }
  if (status === 409 && problemOf(text)?.code === FENCED) {
    return fences === null ? { kind: "blocked", status, advice: LEASED_ELSEWHERE, ...retry } : { kind: "fenced" };
  }
  const advice = adviceFor(status);
  if (advice) {
    return { kind: "blocked", status, advice, ...retry };
  }
  if (status === 400 || status === 422) {
    const problem = problemOf(text);
    if (problem) {
      return { kind: "refused", status, code: problem.code, message: problem.detail ?? problem.title ?? "" };
    }
  }
  return { kind: "failed", reason: `HTTP ${status}`, ...retry };
}

/** Only our API speaks like this. The same status from a proxy in between is no verdict on the packets. */
function problemOf(text: string): z.infer<typeof problemSchema> | null {
  return problemSchema.safeParse(parseJson(text)).data ?? null;
}

function readAnswer(items: readonly SpooledItem[], text: string): IngressOutcome {
  const answer = answerSchema.safeParse(parseJson(text));
  if (!answer.success) {
    return { kind: "failed", reason: "HTTP 200 without the results that the ingress contract promises" };
  }
  const { results } = answer.data;
  if (results.length !== items.length || results.some((result, index) => result.key !== items[index]?.key)) {
    return { kind: "failed", reason: "HTTP 200 with results for other items than were sent" };
  }
  return { kind: "answered", results };
}

function adviceFor(status: number): string | undefined {
  if (status === 401 || status === 403) {
    return "The API refused the signature: CONNECTOR_INGRESS_SECRET must be the same here and there, and the clocks no more than five minutes apart.";
  }
  if (status === 404 || status === 405 || status === 410) {
    return "There is no ingress route: API_PUBLIC_URL must be the API's own address, and the API must have the Discord connector.";
  }
  if (status >= 300 && status < 400) {
    return "The API redirects: set API_PUBLIC_URL to the address that it redirects to.";
  }
  return status === 429 ? "The API, or something in front of it, limits the worker's rate." : undefined;
}

/** Seconds or a date, as HTTP has it; never more than ten minutes. */
function retryAfterMs(header: string | null): number | undefined {
  if (header === null) {
    return undefined;
  }
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), 600_000) : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `fetch failed` says nothing, nor does the error of a name with several addresses; what is within them does. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  const within: readonly unknown[] = error instanceof AggregateError ? error.errors : [error.cause];
  const causes = within.filter((cause) => cause instanceof Error).map((cause) => cause.message || cause.name);
  return [error.message, ...causes].filter((text) => text !== "").join(": ") || error.name;
}
