import { createHash } from "node:crypto";
import { newId, type Problem, type SourceContext } from "@hookline/core";
import { isWebhookVerificationError, verify, type WebhookVerificationErrorCode } from "@hookline/webhook-signing";
import { claimKeys } from "../access/accept-once.js";
import { type Causation, depthOfRequest } from "../automations/causation.js";
import { DEFAULTS } from "../defaults.js";
import { pointerTo } from "../http/router.js";
import { type IngestParts, isRefusal } from "../ingest/ingest.js";
import { retryConflicts } from "../storage/conflicts.js";
import type { CheckedSource, Signature } from "./check-source.js";
import type { SourceLog } from "./source-log.js";
import { type EventWriter, prepareEvents } from "./store-events.js";

/** A request whose address and bearer were checked. */
export interface SourceRequest {
  readonly body: Uint8Array;
  readonly headers: Headers;
}

/** What becomes of a request. */
export type Received =
  | { readonly kind: "accepted"; readonly executionId: string }
  | { readonly kind: "refused"; readonly reason: "replayed" | WebhookVerificationErrorCode; readonly detail: string }
  | { readonly kind: "failed"; readonly problem: Problem };

export interface ReceiveParts extends IngestParts {
  readonly log: SourceLog;
  readonly causation: Causation;
}

/**
 * Signature, JSON, schema, transform; then in one transaction: whether the request is new, its contacts and events, and
 * its execution. So a request that fails on our side can be sent again, and one that was accepted can't.
 *
 * A database or an outbox that fails is thrown.
 */
export async function receive(parts: ReceiveParts, source: CheckedSource, request: SourceRequest): Promise<Received> {
  const startedMs = performance.now();
  const { store, log, causation } = parts;
  const receivedAt = new Date(store.clock.now());
  let message: SignedContent | null = null;
  if (source.signatures.length > 0) {
    try {
      message = verifySignature(source.signatures, request, receivedAt);
    } catch (error) {
      if (!isWebhookVerificationError(error)) throw error;
      return { kind: "refused", reason: error.code as WebhookVerificationErrorCode, detail: error.message };
    }
  }

  const context: SourceContext = {
    sourceId: source.id,
    tenantId: source.tenantId,
    executionId: newId("exe", receivedAt.getTime()),
    messageId: message?.id ?? null,
    bodyHash: createHash("sha256").update(request.body).digest("hex"),
    headers: request.headers,
    receivedAt,
  };
  const record = {
    id: context.executionId,
    messageId: context.messageId,
    payload: request.body,
    receivedAt,
    startedMs,
  };
  const depth = depthOfRequest(request.headers);
  await log.sweepIfDue();
  try {
    const body = await readBody(source, request.body);
    const writers = prepareEvents(parts, source, await transform(source, body, context));
    const keys = replayKeys(context, message, source);
    await retryConflicts(() =>
      store.database.transaction(async (tx) => {
        if (depth > 0) causation.mark(tx, depth);
        const isNew = await claim(keys, (all) =>
          claimKeys({ ...store, query: tx.query, now: receivedAt }, all, keys.ttl),
        );
        const eventIds = isNew ? await writeAll(writers, tx) : [];
        const status = isNew ? ("succeeded" as const) : ("duplicate" as const);
        await log.writeExecution(tx.query, source, { ...record, status, eventIds });
      }),
    );
    return { kind: "accepted", executionId: context.executionId };
  } catch (error) {
    if (error instanceof ReplayedRequest) return { kind: "refused", reason: "replayed", detail: error.message };
    const problem = problemOf(error);
    const { code, detail } = problem ?? { code: "internal_error", detail: "Something failed on our side." };
    try {
      const failed = { ...record, status: "failed" as const, eventIds: [], error: { code, message: detail } };
      await log.writeExecution(store.database.query, source, failed);
    } catch (failure) {
      store.logger.error({ err: failure, sourceId: source.id }, "a failed execution can't be recorded");
    }
    if (!problem) throw error;
    if (problem.status >= 500) store.logger.error({ err: error, sourceId: source.id }, "a source's transform failed");
    return { kind: "failed", problem };
  }
}

interface SignedContent {
  readonly id: string | undefined;
  /** What is signed in front of the body. */
  readonly prefix: string;
}

/** What the way refuses whose header is there is refused: no other way is tried. */
function verifySignature(signatures: readonly Signature[], { body, headers }: SourceRequest, now: Date): SignedContent {
  const way = signatures.find(({ scheme }) => headers.has(scheme.signatureHeader)) ?? (signatures[0] as Signature);
  const { scheme } = way;
  const { id, timestamp } = verify(body, headers, { ...way, now });
  const sent = scheme.timestampHeader === undefined ? null : headers.get(scheme.timestampHeader);
  return { id, prefix: scheme.contentPrefix?.({ id: id ?? "", timestamp: sent ?? String(timestamp ?? "") }) ?? "" };
}

interface ReplayKeys {
  /** The signed content itself: a signature may be spelt in several ways, or stand among others. */
  readonly content: string | null;
  readonly message: string | null;
  /** Claimed beside it: what the same request would be in another way to sign, which covers less. */
  readonly others: readonly string[];
  readonly ttl: number;
}

function replayKeys(context: SourceContext, message: SignedContent | null, source: CheckedSource): ReplayKeys {
  const { sourceId, bodyHash } = context;
  if (message === null || source.replayTtlSeconds === null) return { content: null, message: null, others: [], ttl: 0 };
  const keyOf = (prefix: string) => JSON.stringify(["source", sourceId, "content", prefix, bodyHash]);
  const isBodyAlone = ({ scheme }: Signature) => scheme.contentPrefix === undefined;
  return {
    content: keyOf(message.prefix),
    message: message.id === undefined ? null : JSON.stringify(["source", sourceId, "message", message.id]),
    others: message.prefix !== "" && source.signatures.some(isBodyAlone) ? [keyOf("")] : [],
    ttl: source.replayTtlSeconds,
  };
}

/** False for a message that its sender signs and sends again; a request that comes again as it was is thrown. */
async function claim(
  { content, message, others }: ReplayKeys,
  claimAll: (keys: readonly string[]) => Promise<ReadonlySet<string>>,
): Promise<boolean> {
  if (content === null) return true;
  const claimed = await claimAll([content, ...others, ...(message === null ? [] : [message])]);
  if (!claimed.has(content)) throw new ReplayedRequest();
  return message === null || claimed.has(message);
}

async function writeAll(writers: readonly EventWriter[], tx: Parameters<EventWriter>[0]): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const write of writers) ids.push(await write(tx));
  return ids;
}

/** Takes the transaction back. */
class ReplayedRequest extends Error {
  override readonly name = "ReplayedRequest";

  constructor() {
    super("This very request was accepted before.");
  }
}

/** What is wrong with a request that its caller was entitled to send. */
class FailedRequest extends Error {
  override readonly name = "FailedRequest";
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.detail, options);
    this.problem = problem;
  }
}

function problemOf(error: unknown): Problem | null {
  if (error instanceof FailedRequest) return error.problem;
  return isRefusal(error) ? { status: 422, code: error.code, detail: error.message } : null;
}

async function readBody({ schema }: CheckedSource, body: Uint8Array): Promise<unknown> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (cause) {
    throw new FailedRequest({ status: 400, code: "invalid_json", detail: "The body is not JSON." }, { cause });
  }
  const result = await schema["~standard"].validate(json);
  if (!result.issues) return result.value;
  throw new FailedRequest({
    status: 400,
    code: "validation_failed",
    detail: "The body does not have the form that this source asks for.",
    errors: result.issues.slice(0, DEFAULTS.source.maxSchemaErrors).map(({ path = [], message }) => ({
      pointer: pointerTo(["body", ...path.map((part) => (typeof part === "object" ? part.key : part))]),
      message,
    })),
  });
}

async function transform(source: CheckedSource, body: unknown, context: SourceContext) {
  try {
    return await source.transform(body, context);
  } catch (cause) {
    if (isRefusal(cause)) throw cause;
    const detail = "Something failed on our side.";
    throw new FailedRequest({ status: 500, code: "transform_failed", detail }, { cause });
  }
}
