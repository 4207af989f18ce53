import {
  type Attributes,
  createNoopMeter,
  type MeterProvider,
  metrics,
  type ObservableResult,
  ValueType,
} from "@opentelemetry/api";
import type { AttemptRow } from "./sql/record-attempts.js";

/** What the loop measures. */
export interface Meters {
  /** One attempt was made, and what follows from it. */
  attempted(row: Pick<AttemptRow, "outcome" | "ending" | "durationMs" | "errorCode">, destinationId: string): void;
  /** Nothing is observed any more. */
  end(): void;
}

/** What is looked at when somebody collects metrics. */
export interface Observed {
  readonly inFlight: () => number;
  readonly waiting: () => number;
  /** Null when the database does not answer. */
  readonly queue: () => Promise<{
    readonly due: number;
    readonly held: number;
    readonly oldestDueAgeMs: number | null;
  } | null>;
}

const SILENT: Meters = { attempted() {}, end() {} };

/** Attempt times from a few milliseconds to the longest time limit. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30];

export function createMeters(provider: MeterProvider | null, observed: Observed): Meters {
  const meter = (provider ?? metrics.getMeterProvider()).getMeter("@hookline/dispatcher");
  if (meter === createNoopMeter()) return SILENT;

  const durations = meter.createHistogram("hookline.delivery.attempt.duration", {
    description: "How long attempts took",
    unit: "s",
    advice: { explicitBucketBoundaries: SECONDS },
  });
  const ended = meter.createCounter("hookline.delivery.ended", {
    description: "Deliveries that ended, by how",
    unit: "{delivery}",
    valueType: ValueType.INT,
  });
  const gauge = (name: string, description: string, unit = "{delivery}") =>
    meter.createObservableGauge(name, { description, unit });
  const inFlight = gauge("hookline.worker.in_flight", "Attempts in flight in this process");
  const waiting = gauge("hookline.worker.waiting", "Deliveries that wait in this process's memory");
  const due = gauge("hookline.queue.due", "Deliveries that are due and taken by nobody; 10,000 at most");
  const held = gauge("hookline.queue.held", "Deliveries that are held or set aside; 10,000 at most");
  const age = gauge("hookline.queue.oldest_due.age", "How long the oldest due delivery has been due", "s");

  const observe = (read: () => number) => (result: ObservableResult<Attributes>) => result.observe(read());
  const observeQueue: Parameters<typeof meter.addBatchObservableCallback>[0] = async (result) => {
    const queue = await observed.queue();
    if (queue === null) return;
    result.observe(due, queue.due);
    result.observe(held, queue.held);
    result.observe(age, (queue.oldestDueAgeMs ?? 0) / 1000);
  };
  meter.addBatchObservableCallback(observeQueue, [due, held, age]);
  const callbacks = { inFlight: observe(observed.inFlight), waiting: observe(observed.waiting) };
  inFlight.addCallback(callbacks.inFlight);
  waiting.addCallback(callbacks.waiting);

  return {
    attempted({ outcome, ending, durationMs, errorCode }, destinationId) {
      const attributes = {
        "hookline.destination": destinationId,
        "hookline.delivery.outcome": outcome,
        ...(errorCode === null ? {} : { "error.type": errorCode }),
      };
      durations.record(durationMs / 1000, attributes);
      if (ending !== null) ended.add(1, { "hookline.destination": destinationId, "hookline.delivery.ending": ending });
    },
    end() {
      inFlight.removeCallback(callbacks.inFlight);
      waiting.removeCallback(callbacks.waiting);
      meter.removeBatchObservableCallback(observeQueue, [due, held, age]);
    },
  };
}
