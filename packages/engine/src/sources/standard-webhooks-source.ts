import { defineSource } from "@hookline/core";
import { standardWebhooks } from "@hookline/webhook-signing";
import { z } from "zod";
import type { EngineSource } from "./check-source.js";

export interface StandardWebhooksSourceOptions {
  /** `whsec_` secrets or `whpk_` public keys; any of them may fit. */
  readonly secrets: readonly string[];
  /** Tells several senders apart; `standard` when absent. */
  readonly id?: string;
  readonly tenantId?: string;
  /** `/webhooks/<id>` when absent. */
  readonly path?: string;
  readonly allowedAddresses?: readonly string[];
}

const webhook = z.object({
  type: z.string().min(1).max(128),
  timestamp: z.iso.datetime({ offset: true }),
  data: z.record(z.string(), z.unknown()),
});

/**
 * Webhooks of any sender that keeps to Standard Webhooks, v1 or v1a: `{ type, timestamp, data }`. Each becomes the event
 * of its type and time, about nobody, once for each `webhook-id` however often it is signed and sent.
 *
 * The sender chooses the type: give the secret to whom you trust with your automations.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 * @example
 * createEngine({ …, sources: [standardWebhooksSource({ id: "billing", secrets: ["whsec_…"] })] });
 */
export function standardWebhooksSource(options: StandardWebhooksSourceOptions): EngineSource {
  const { id = "standard", path = `/webhooks/${id}`, ...rest } = options;
  return defineSource({
    ...rest,
    id,
    path,
    scheme: standardWebhooks,
    schema: webhook,
    transform: ({ type, timestamp, data }, { sourceId, messageId, bodyHash }) => [
      { type, timestamp: new Date(timestamp), idempotencyKey: `${sourceId}:${messageId ?? bodyHash}`, data },
    ],
  });
}
