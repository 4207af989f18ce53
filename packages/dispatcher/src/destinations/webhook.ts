import type { Destination } from "@hookline/core";
import { sign } from "@hookline/webhook-signing";
import packageJson from "../../package.json" with { type: "json" };
import { writePayload } from "./webhook-payload.js";
import { schemeOf, type WebhookTarget } from "./webhook-target.js";

export const WEBHOOK_DESTINATION_ID = "webhook";

const USER_AGENT = `Hookline/${packageJson.version}`;

/**
 * A signed POST. The event's id is the webhook's id on every attempt, the timestamp is that of the attempt.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export const webhookDestination: Destination<WebhookTarget, never> = {
  id: WEBHOOK_DESTINATION_ID,
  plan(event, { endpoint, now }) {
    const { target, secrets } = endpoint;
    const payload = writePayload(target.profile ?? "standard", event, USER_AGENT);
    const signature = sign(payload.body, {
      scheme: schemeOf(target),
      secrets,
      id: event.id,
      timestamp: Math.floor(now.getTime() / 1000),
    });
    return {
      kind: "request",
      request: {
        method: "POST",
        url: target.url,
        headers: { "content-type": "application/json", ...payload.headers, ...target.headers, ...signature },
        body: payload.body,
      },
    };
  },
};
