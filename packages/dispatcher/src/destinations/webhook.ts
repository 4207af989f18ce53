import type { Destination, DestinationEndpoint, DestinationRequest } from "@hookline/core";
import { sign } from "@hookline/webhook-signing";
import packageJson from "../../package.json" with { type: "json" };
import type { AddressGuardOptions } from "../address-guard.js";
import { createBodyTemplates } from "./body-template.js";
import { writePayload } from "./webhook-payload.js";
import { parseWebhookTarget, schemeOf, type WebhookTarget } from "./webhook-target.js";

export const WEBHOOK_DESTINATION_ID = "webhook";

export const USER_AGENT = `Hookline/${packageJson.version}`;

/**
 * A signed POST. The event's id is the webhook's id on every attempt, the timestamp is that of the attempt.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function createWebhookDestination(addressGuard: AddressGuardOptions): Destination<WebhookTarget, never> {
  const render = createBodyTemplates();
  return {
    id: WEBHOOK_DESTINATION_ID,
    parseTarget: (target) => parseWebhookTarget(target, addressGuard),
    plan(event, { endpoint, now }) {
      const { target } = endpoint;
      const payload = writePayload(target.profile ?? "standard", event, USER_AGENT);
      const body = target.template === undefined ? payload.body : render(target, target.template, event);
      return { kind: "request", request: signedRequest({ endpoint, id: event.id, now }, { ...payload, body }) };
    },
  };
}

/** The POST that carries a body to an endpoint. */
export function signedRequest(
  to: { readonly endpoint: DestinationEndpoint<WebhookTarget>; readonly id: string; readonly now: Date },
  payload: { readonly body: string; readonly headers: Readonly<Record<string, string>> },
): DestinationRequest {
  const { target, secrets } = to.endpoint;
  const signature = sign(payload.body, {
    scheme: schemeOf(target),
    secrets,
    id: to.id,
    timestamp: Math.floor(to.now.getTime() / 1000),
  });
  return {
    method: "POST",
    url: target.url,
    headers: { "content-type": "application/json", ...payload.headers, ...target.headers, ...signature },
    body: payload.body,
    ...(target.tls === undefined ? {} : { tls: target.tls }),
  };
}
