import {
  type Context,
  context,
  createTraceState,
  isSpanContextValid,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  type TracerProvider,
  trace,
} from "@opentelemetry/api";
import type { AttemptResult } from "./attempt.js";
import type { Job } from "./job.js";

/** Spans of what is published and of each attempt. Without a tracer nothing is made, and no attribute is read. */
export interface Traces {
  /** Runs `work` in one span for all the events; it gets what to store, so that attempts belong to the same trace. */
  publish<T>(
    events: readonly { readonly type: string; readonly tenantId: string }[],
    work: (traceContext: string | null) => Promise<T>,
  ): Promise<T>;
  /** Runs one attempt in a span below that of its publication; it gets the headers for the receiver, if there are to be any. */
  attempt(
    what: { readonly job: Job; readonly destinationId: string },
    work: (headers: Readonly<Record<string, string>> | null) => Promise<AttemptResult>,
  ): Promise<AttemptResult>;
}

const NAME = "@hookline/dispatcher";
const SYSTEM = { "messaging.system": "hookline" } as const;

export function createTraces(options: {
  readonly provider: TracerProvider | null;
  readonly propagatesToReceivers: boolean;
}): Traces {
  let known: Tracer | null = null;

  /** Looked for each time until there is one: an SDK may be registered later than the dispatcher is made. */
  const tracer = (): Tracer | null => {
    if (known !== null) return known;
    const provider = options.provider ?? trace.getTracerProvider();
    known =
      provider instanceof ProxyTracerProvider ? (provider.getDelegateTracer(NAME) ?? null) : provider.getTracer(NAME);
    return known;
  };

  const headersOf = (traceContext: string | null): Readonly<Record<string, string>> | null => {
    if (!options.propagatesToReceivers || traceContext === null) return null;
    const [traceparent = "", tracestate = ""] = traceContext.split(" ");
    return tracestate === "" ? { traceparent } : { traceparent, tracestate };
  };

  return {
    publish(events, work) {
      const active = tracer();
      if (active === null) return work(textOf(trace.getSpanContext(context.active())));
      const [first] = events;
      const name = first !== undefined && events.every(({ type }) => type === first.type) ? first.type : "events";
      const attributes = {
        ...SYSTEM,
        "messaging.operation.type": "send",
        "messaging.operation.name": "publish",
        "messaging.destination.name": name,
        "hookline.tenant.id": first?.tenantId,
        ...(events.length > 1 ? { "messaging.batch.message_count": events.length } : {}),
      };
      const span = active.startSpan(`publish ${name}`, { kind: SpanKind.PRODUCER, attributes });
      return within(span, context.active(), () => work(textOf(span.spanContext())));
    },

    attempt({ job, destinationId }, work) {
      const active = tracer();
      if (active === null) return work(headersOf(job.traceContext));
      const parent = contextOf(job.traceContext);
      const attributes = {
        ...SYSTEM,
        "messaging.operation.type": "process",
        "messaging.operation.name": "deliver",
        "messaging.destination.name": job.event.type,
        "messaging.message.id": job.event.id,
        "hookline.tenant.id": job.tenantId,
        "hookline.delivery.id": job.deliveryId,
        "hookline.delivery.attempt": job.attempts + 1,
        "hookline.destination": destinationId,
        ...(job.recipient.kind === "endpoint" ? { "hookline.endpoint.id": job.recipient.endpointId } : {}),
      };
      const span = active.startSpan(`deliver ${job.event.type}`, { kind: SpanKind.CONSUMER, attributes }, parent);
      return within(span, parent, async () => {
        const result = await work(headersOf(textOf(span.spanContext())));
        describe(span, result);
        return result;
      });
    },
  };
}

/** The span is the active one meanwhile, so that what an instrumented client makes is below it. */
function within<T>(span: Span, parent: Context, work: () => Promise<T>): Promise<T> {
  const fail = (error: unknown): never => {
    span.recordException(error instanceof Error ? error : String(error));
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  };
  return context
    .with(trace.setSpan(parent, span), work)
    .catch(fail)
    .finally(() => span.end());
}

function describe(span: Span, result: AttemptResult): void {
  span.setAttribute("hookline.delivery.outcome", result.outcome);
  if (result.status !== undefined) span.setAttribute("http.response.status_code", result.status);
  if (result.outcome === "delivered") return;
  span.setAttribute("error.type", result.errorCode ?? result.outcome);
  span.setStatus({ code: SpanStatusCode.ERROR, ...(result.reason === undefined ? {} : { message: result.reason }) });
}

/** As W3C Trace Context writes it: `traceparent`, and after a space `tracestate`, if there is one. */
function textOf(spanContext: SpanContext | undefined): string | null {
  if (spanContext === undefined || !isSpanContextValid(spanContext)) return null;
  const { traceId, spanId, traceFlags, traceState } = spanContext;
  const traceparent = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
  const tracestate = traceState?.serialize().replaceAll(" ", "") ?? "";
  return tracestate === "" ? traceparent : `${traceparent} ${tracestate}`;
}

function contextOf(traceContext: string | null): Context {
  const parts = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?: (.*))?$/.exec(traceContext ?? "");
  if (parts === null) return ROOT_CONTEXT;
  const [, traceId = "", spanId = "", flags = "", tracestate] = parts;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16),
    isRemote: true,
    ...(tracestate === undefined ? {} : { traceState: createTraceState(tracestate) }),
  });
}
