import { defineSource } from "@hookline/core";
import { xtsystems } from "@hookline/webhook-signing";
import { z } from "zod";
import type { EngineSource } from "./check-source.js";

export interface XtsystemsSourceOptions {
  /** Any of them may fit, at least 16 characters each. */
  readonly secrets: readonly string[];
  readonly tenantId?: string;
  /** `/webhooks/xtsystems` when absent. */
  readonly path?: string;
  readonly allowedAddresses?: readonly string[];
}

const SECONDS_OF_A_DATE = 8_640_000_000_000;

const webhook = z.object({
  event_type: z.string().min(1).max(128),
  data: z.record(z.string(), z.unknown()),
  timestamp: z.number().int().min(0).max(SECONDS_OF_A_DATE).optional(),
});

/**
 * Webhooks of an XTSystems platform: hex HMAC over the timestamp directly followed by the body, five minutes, 100
 * requests in 15 minutes and address. Each becomes the event of its type, about nobody, once for each body however
 * often it is signed and sent; `webhook.test` becomes none. A body without `timestamp` happened when it was received.
 *
 * @example
 * createEngine({ …, sources: [xtsystemsSource({ secrets: [secret] })] });
 */
export function xtsystemsSource({ path = "/webhooks/xtsystems", ...options }: XtsystemsSourceOptions): EngineSource {
  return defineSource({
    ...options,
    id: "xtsystems",
    path,
    scheme: xtsystems,
    toleranceSeconds: 300,
    rateLimit: { max: 100, windowSeconds: 900 },
    schema: webhook,
    transform({ event_type: type, data, timestamp }, { bodyHash, receivedAt }) {
      if (type === "webhook.test") return [];
      const at = timestamp === undefined ? receivedAt : new Date(timestamp * 1000);
      return [{ type, timestamp: at, idempotencyKey: `xtsystems:${bodyHash}`, data }];
    },
  });
}
