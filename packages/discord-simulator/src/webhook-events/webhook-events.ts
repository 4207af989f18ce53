import type { Clock, Logger } from "@hookline/core";
import { postSigned } from "../interactions/post.js";
import { signRequest } from "../interactions/signing.js";
import type { World } from "../world/model.js";

export type WebhookEventType = "APPLICATION_AUTHORIZED" | "APPLICATION_DEAUTHORIZED";

export const WEBHOOK_EVENT_TYPES: readonly WebhookEventType[] = ["APPLICATION_AUTHORIZED", "APPLICATION_DEAUTHORIZED"];

/** An event on its way to the application, and how far it came. */
export interface SentWebhookEvent {
  readonly type: WebhookEventType;
  /** `failed`: Discord gave up after ten minutes. */
  readonly status: "pending" | "delivered" | "failed";
  /** What each try was answered: a status, or 0 for no answer. */
  readonly answers: readonly number[];
}

/** What Discord posts to the Webhook Events URL: signed, tried again with growing pauses for up to ten minutes. */
export interface WebhookEvents {
  /** Only to an application that has a URL and wants this type. */
  send(type: WebhookEventType, data: object): void;
  /** Everything once more with the same body, as Discord may. */
  sendAgain(): void;
  list(): readonly SentWebhookEvent[];
  /** Ends all tries. */
  close(): void;
}

export interface WebhookEventsContext {
  readonly world: World;
  readonly clock: Clock;
  /** What the application lives by: it is not put forward. */
  readonly wallClock: Clock;
  readonly logger: Logger;
  readonly fetch: typeof fetch;
  readonly answerTimeoutMs: number;
  readonly changed: () => void;
}

const FIRST_PAUSE_MS = 1_000;
const GIVE_UP_AFTER_MS = 600_000;

interface Sending {
  readonly type: WebhookEventType;
  readonly body: string;
  readonly startedMs: number;
  status: SentWebhookEvent["status"];
  answers: readonly number[];
}

export function createWebhookEvents(context: WebhookEventsContext): WebhookEvents {
  const { world, clock, wallClock } = context;
  const sent: Sending[] = [];
  const timers = new Set<() => void>();
  let closed = false;

  function begin(type: WebhookEventType, body: string): void {
    const sending: Sending = { type, body, startedMs: clock.now(), status: "pending", answers: [] };
    sent.push(sending);
    attempt(sending, FIRST_PAUSE_MS).catch((error: unknown) => {
      context.logger.error({ err: error, type }, "a webhook event could not be sent");
    });
  }

  async function attempt(sending: Sending, pauseMs: number): Promise<void> {
    const url = world.application.webhookEventsUrl;
    if (closed || url === null) {
      sending.status = "failed";
      return;
    }
    const request = signRequest(world.application.secretKey, sending.body, Math.floor(wallClock.now() / 1000));
    const result = await postSigned({ ...context, url, request, timeoutMs: context.answerTimeoutMs });
    const status = result.kind === "answered" ? result.status : 0;
    sending.answers = [...sending.answers, status];
    if (status >= 200 && status < 300) {
      sending.status = "delivered";
    } else if (clock.now() - sending.startedMs + pauseMs > GIVE_UP_AFTER_MS) {
      sending.status = "failed";
    } else {
      retryLater(sending, pauseMs);
    }
    context.changed();
  }

  function retryLater(sending: Sending, pauseMs: number): void {
    const cancel = clock.setTimer(() => {
      timers.delete(cancel);
      attempt(sending, pauseMs * 2).catch((error: unknown) => {
        context.logger.error({ err: error, type: sending.type }, "a webhook event could not be sent");
      });
    }, pauseMs);
    timers.add(cancel);
  }

  return {
    send(type, data) {
      const { webhookEventsUrl, webhookEventTypes, id } = world.application;
      if (webhookEventsUrl === null || !webhookEventTypes.includes(type)) {
        return;
      }
      // As Discord writes it: microseconds, and no zone.
      const timestamp = new Date(clock.now()).toISOString().replace("Z", "000");
      begin(type, JSON.stringify({ version: 1, application_id: id, type: 1, event: { type, timestamp, data } }));
    },
    sendAgain() {
      for (const { type, body } of [...sent]) {
        begin(type, body);
      }
    },
    list: () => sent.map(({ type, status, answers }) => ({ type, status, answers })),
    close() {
      closed = true;
      for (const cancel of timers) {
        cancel();
      }
    },
  };
}
