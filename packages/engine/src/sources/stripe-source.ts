import { defineSource } from "@hookline/core";
import { stripe } from "@hookline/webhook-signing";
import { z } from "zod";
import type { EngineSource } from "./check-source.js";

export interface StripeSourceOptions {
  /** Of the endpoint, as Stripe shows them (`whsec_…`). Any of them may fit. */
  readonly secrets: readonly string[];
  readonly tenantId?: string;
  /** `/webhooks/stripe` when absent. */
  readonly path?: string;
  readonly allowedAddresses?: readonly string[];
}

const SECONDS_OF_A_DATE = 8_640_000_000_000;

const webhook = z.looseObject({
  id: z.string().min(1).max(200),
  type: z.string().min(1).max(100),
  /** Unix seconds in snapshot events, ISO 8601 in thin ones. */
  created: z.union([z.number().int().min(0).max(SECONDS_OF_A_DATE), z.iso.datetime({ offset: true })]),
});

/**
 * Events of Stripe, snapshot or thin: hex HMAC over time and body, five minutes. Each becomes `stripe.<type>`
 * (`stripe.invoice.paid`) at the time of its creation, about nobody, once however often Stripe signs and sends it. Its
 * data are the event, without `pending_webhooks`, in which Stripe counts what is not delivered yet.
 *
 * @see https://docs.stripe.com/webhooks
 * @example
 * createEngine({ …, sources: [stripeSource({ secrets: ["whsec_…"] })] });
 */
export function stripeSource({ path = "/webhooks/stripe", ...options }: StripeSourceOptions): EngineSource {
  return defineSource({
    ...options,
    id: "stripe",
    path,
    scheme: stripe,
    toleranceSeconds: 300,
    schema: webhook,
    transform({ pending_webhooks: _counted, ...event }) {
      const timestamp = new Date(typeof event.created === "number" ? event.created * 1000 : event.created);
      return [{ type: `stripe.${event.type}`, timestamp, idempotencyKey: `stripe:${event.id}`, data: event }];
    },
  });
}
