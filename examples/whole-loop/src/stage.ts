import type { SimulatorControl } from "@hookline/discord-simulator";
import type { ApiClient, StoredEvent } from "./api-client.js";
import type { Report } from "./report.js";
import { until } from "./until.js";

/** What every step of the loop acts on and looks at. */
export interface Stage {
  readonly report: Report;
  readonly discord: SimulatorControl;
  readonly api: ApiClient;
  readonly receiver: Receiver;
  /** Tells this run's names apart from those of earlier ones. */
  readonly runId: string;
}

export interface Receiver {
  /** The verified webhooks that it got so far, oldest first. */
  received(): Promise<readonly ReceivedWebhook[]>;
  /** Ends it as a crash would. */
  crash(): Promise<void>;
  restart(): Promise<void>;
}

export interface ReceivedWebhook {
  /** The event's id. */
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Waits until the event log holds an event of this type that fits. */
export function untilStored(
  { api }: Stage,
  type: string,
  fits: (event: StoredEvent) => boolean = () => true,
): Promise<StoredEvent> {
  return until(`${type} in the event log`, async () => {
    const { events } = await api.get<{ events: StoredEvent[] }>(`/v1/events?type=${type}&limit=50`);
    return events.find(fits);
  });
}

/** Waits until the receiver has verified the webhooks of all these events. */
export function untilReceived({ receiver }: Stage, events: readonly { readonly id: string }[]): Promise<void> {
  return until(`${events.length} webhooks at the receiver`, async () => {
    const ids = new Set((await receiver.received()).map(({ id }) => id));
    return events.every(({ id }) => ids.has(id));
  }).then(() => undefined);
}

/** Throws what was expected when it does not hold. */
export function expectThat(holds: boolean, expectation: string): asserts holds {
  if (!holds) throw new Error(`Expected: ${expectation}`);
}
