import { describeMatrix } from "@hookline/postgres/testing";
import { context, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDispatcher, openReceiver, subscribeReceiver, TENANT, until, untilDelivery } from "./open-dispatcher.js";

const EVENT = { tenantId: TENANT, type: "ticket.created", data: {} };
const QUICK = { retrySchedule: { delaysMs: [1, 1], jitterRatio: 0 }, pollMs: 50 };

function openTraces() {
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const named = (name: string) => exporter.getFinishedSpans().filter((span) => span.name.startsWith(name));
  return { tracerProvider, named };
}

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});
afterAll(() => context.disable());

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("W9 keeps the publisher's trace through retries, also when another process delivers", async () => {
    const { tracerProvider, named } = openTraces();
    const { dispatcher, another } = await openDispatcher(databases, { ...QUICK, telemetry: { tracerProvider } });
    const receiver = await openReceiver({ answer: () => ({ status: receiver.requests.length < 3 ? 503 : 200 }) });
    await subscribeReceiver(dispatcher, receiver);
    const root = tracerProvider.getTracer("test").startSpan("request");
    const { traceId, spanId } = root.spanContext();
    await context.with(trace.setSpan(context.active(), root), () => dispatcher.publish(EVENT));
    await another().start();
    await untilDelivery(dispatcher, ({ status }) => status === "delivered");
    await until(() => named("deliver ").length === 3);
    const [published] = named("publish ticket.created");
    expect(published?.parentSpanContext).toMatchObject({ traceId, spanId });
    const attempts = named("deliver ticket.created");
    expect(attempts.map((span) => span.parentSpanContext?.spanId)).toEqual(
      Array.from({ length: 3 }, () => published?.spanContext().spanId),
    );
    expect(new Set(attempts.map((span) => span.spanContext().traceId))).toEqual(new Set([traceId]));
    expect(
      attempts.map(({ attributes }) => [
        attributes["hookline.delivery.attempt"],
        attributes["hookline.delivery.outcome"],
        attributes["http.response.status_code"],
      ]),
    ).toEqual([
      [1, "retry", 503],
      [2, "retry", 503],
      [3, "delivered", 200],
    ]);
    expect(receiver.requests.every(({ headers }) => headers.traceparent === undefined)).toBe(true);
  });

  it("W9 keeps each publisher's own trace when several share an insert, through a retry", async () => {
    const { tracerProvider, named } = openTraces();
    const opened = await openDispatcher(databases, { ...QUICK, telemetry: { tracerProvider } });
    const { dispatcher, database, schema } = opened;
    const refused = new Set<string>();
    const receiver = await openReceiver({
      answer({ headers }) {
        const id = String(headers["webhook-id"]);
        if (refused.has(id)) return { status: 200 };
        refused.add(id);
        return { status: 503 };
      },
    });
    await subscribeReceiver(dispatcher, receiver);
    await dispatcher.start();
    const roots = ["one", "two"].map((name) => tracerProvider.getTracer("test").startSpan(name));
    const published = await Promise.all(
      roots.map((root) => context.with(trace.setSpan(context.active(), root), () => dispatcher.publish(EVENT))),
    );
    const inserts = await database.query(`select distinct xmin::text from ${schema}.events`);
    expect(inserts).toHaveLength(1);
    await until(() => named("deliver ").length === 4);
    expect(named("publish ")).toHaveLength(2);
    for (const [index, { id }] of published.entries()) {
      const { traceId, spanId } = roots[index]?.spanContext() ?? {};
      const ours = named("publish ").find((span) => span.parentSpanContext?.spanId === spanId);
      const attempts = named("deliver ").filter(({ attributes }) => attributes["messaging.message.id"] === id);
      expect(attempts.map(({ attributes }) => attributes["hookline.delivery.outcome"])).toEqual(["retry", "delivered"]);
      for (const attempt of attempts) {
        expect(attempt.parentSpanContext).toMatchObject({ traceId, spanId: ours?.spanContext().spanId });
      }
      expect(await database.query(`select trace_context from ${schema}.events where id = $1`, [id])).toEqual([
        { trace_context: `00-${traceId}-${ours?.spanContext().spanId}-01` },
      ]);
    }
  });

  it("W9 sends the trace context to the receiver where it is asked to, of the attempt or else of the publisher", async () => {
    const { tracerProvider, named } = openTraces();
    const { dispatcher, another } = await openDispatcher(databases, {
      ...QUICK,
      telemetry: { tracerProvider, propagatesToReceivers: true },
    });
    const receiver = await openReceiver();
    await subscribeReceiver(dispatcher, receiver);
    await dispatcher.start();
    await dispatcher.publish(EVENT);
    await receiver.waitFor(1);
    await until(() => named("deliver ").length === 1);
    const { traceId, spanId } = named("deliver ")[0]?.spanContext() ?? {};
    expect(receiver.requests[0]?.headers.traceparent).toBe(`00-${traceId}-${spanId}-01`);
    expect(receiver.requests[0]?.verified).toBe(true);
    await dispatcher.stop();
    await dispatcher.publish(EVENT);
    // This one has no tracer: what was stored goes along.
    await another({ telemetry: { propagatesToReceivers: true } }).start();
    await receiver.waitFor(2);
    const published = named("publish ")[1]?.spanContext();
    expect(receiver.requests[1]?.headers.traceparent).toBe(`00-${published?.traceId}-${published?.spanId}-01`);
  });

  it("W9 measures attempts, endings, the queue and what is in flight", async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    const meterProvider = new MeterProvider({ readers: [reader] });
    const { dispatcher } = await openDispatcher(databases, { ...QUICK, telemetry: { meterProvider } });
    const receiver = await openReceiver({ answer: () => ({ status: receiver.requests.length < 2 ? 503 : 200 }) });
    const endpoint = await subscribeReceiver(dispatcher, receiver);
    await dispatcher.start();
    await dispatcher.publish(EVENT);
    await untilDelivery(dispatcher, ({ status }) => status === "delivered");
    await dispatcher.endpoints.disable(endpoint);
    await dispatcher.publish(EVENT);
    await reader.forceFlush();
    const collected =
      exporter
        .getMetrics()
        .at(-1)
        ?.scopeMetrics.flatMap(({ metrics }) => metrics) ?? [];
    const pointsOf = (name: string) => collected.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? [];
    const durations = pointsOf("hookline.delivery.attempt.duration");
    expect(durations.map(({ attributes, value }) => [attributes, (value as { count: number }).count])).toEqual([
      [{ "hookline.destination": "webhook", "hookline.delivery.outcome": "retry", "error.type": "http_status" }, 1],
      [{ "hookline.destination": "webhook", "hookline.delivery.outcome": "delivered" }, 1],
    ]);
    expect(pointsOf("hookline.delivery.ended").map(({ attributes, value }) => [attributes, value])).toEqual([
      [{ "hookline.destination": "webhook", "hookline.delivery.ending": "delivered" }, 1],
    ]);
    const gauges = ["worker.in_flight", "worker.waiting", "queue.due", "queue.held", "queue.oldest_due.age"];
    expect(gauges.map((name) => pointsOf(`hookline.${name}`)[0]?.value)).toEqual([0, 0, 0, 1, 0]);
    expect(collected.map(({ descriptor: { name, unit } }) => `${name} ${unit}`).sort()).toEqual([
      "hookline.delivery.attempt.duration s",
      "hookline.delivery.ended {delivery}",
      "hookline.queue.due {delivery}",
      "hookline.queue.held {delivery}",
      "hookline.queue.oldest_due.age s",
      "hookline.worker.in_flight {delivery}",
      "hookline.worker.waiting {delivery}",
    ]);
    await dispatcher.stop();
    await meterProvider.shutdown();
  });

  it("makes no span and stores no trace context where no SDK is registered", async () => {
    const { dispatcher, database, schema } = await openDispatcher(databases, {
      telemetry: { propagatesToReceivers: true },
    });
    const receiver = await openReceiver();
    await subscribeReceiver(dispatcher, receiver);
    await dispatcher.start();
    await dispatcher.publish(EVENT);
    const [request] = await receiver.waitFor(1);
    expect(request?.headers.traceparent).toBeUndefined();
    expect(await database.query(`select trace_context from ${schema}.events`)).toEqual([{ trace_context: null }]);
  });
});
