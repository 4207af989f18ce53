import { defineSource } from "@hookline/core";
import { aiSupport } from "@hookline/webhook-signing";
import { z } from "zod";
import type { EngineSource } from "./check-source.js";

export type SupportSourceOptions = {
  readonly tenantId?: string;
  /** `/api/webhooks/receive` when absent. */
  readonly path?: string;
  readonly allowedAddresses?: readonly string[];
} & (
  | {
      /** Any of them may fit, at least 16 characters each. */
      readonly secrets: readonly string[];
    }
  | {
      /** Takes tickets from anybody. */
      readonly open: true;
    }
);

const ticketCreate = z.object({
  event: z.literal("ticket.create"),
  data: z.object({
    subject: z.string().min(1).max(500),
    message: z.string().min(1).max(50_000),
    customer_email: z.email().max(254),
    customer_name: z.string().min(1).max(200).optional(),
    priority: z.string().min(1).max(50).optional(),
    category: z.string().min(1).max(100).optional(),
  }),
});

/**
 * Tickets as the support autoresponder takes them: plain hex HMAC over the body, or open. Each becomes a
 * `ticket.create` event of the contact with that address, whose `name` it sets.
 *
 * Nothing in such a request tells one sending of the same words from another: signed, the same body is refused for as
 * long as it is remembered; open, it is another ticket.
 *
 * @example
 * createEngine({ …, sources: [supportSource({ secrets: [secret] })] });
 */
export function supportSource({ path = "/api/webhooks/receive", ...options }: SupportSourceOptions): EngineSource {
  return defineSource({
    ...options,
    ...("secrets" in options ? { scheme: aiSupport } : {}),
    id: "support",
    path,
    schema: ticketCreate,
    transform: ({ data }, { executionId, receivedAt }) => [
      {
        type: "ticket.create",
        timestamp: receivedAt,
        idempotencyKey: `support:${executionId}`,
        identities: [{ kind: "email", value: data.customer_email }],
        data,
        ...(data.customer_name === undefined ? {} : { contactProperties: { name: data.customer_name } }),
      },
    ],
  });
}
