import { randomBytes } from "node:crypto";
import type { Destination, DestinationResponse, Interpretation } from "@hookline/core";
import { signedRequest, USER_AGENT, WEBHOOK_DESTINATION_ID } from "./destinations/webhook.js";
import type { WebhookTarget } from "./destinations/webhook-target.js";
import type { Endpoint, TenantScoped } from "./endpoint.js";
import type { EndpointCache } from "./endpoint-cache.js";
import { DispatcherError } from "./errors.js";
import { createEventCatalogue } from "./event-catalogue.js";
import { toEventRow } from "./event-input.js";
import type { HeldDeliveries } from "./held-deliveries.js";
import { checkScoped } from "./query-input.js";
import { createSingleAttempt, type SingleAttempt, type SingleAttemptOptions } from "./single-attempt.js";
import { isoTime } from "./sql/columns.js";
import type { EndpointRow } from "./sql/endpoint-row.js";

/** What `endpoints.verify` answers. */
export interface EndpointVerification extends SingleAttempt {
  /** False: `attempt` says why. What was verified before stays so. */
  readonly verified: boolean;
  readonly endpoint: Endpoint;
}

/** Why an endpoint is inactive that waits to be verified. */
export const UNVERIFIED = "The URL has not been verified.";

const TYPE = "url_verification";

/**
 * Finds out whether a URL wants our webhooks: a signed POST of `{ "type": "url_verification", "challenge": … }`, which
 * has to be answered with a 2xx and the challenge, as plain text or as `{ "challenge": … }`.
 *
 * @see https://docs.slack.dev/reference/events/url_verification
 */
export function createEndpointVerification(
  options: SingleAttemptOptions & { readonly cache: EndpointCache; readonly held: HeldDeliveries },
): (endpoint: TenantScoped) => Promise<EndpointVerification> {
  const { settings, query, statements, codec, cache, held } = options;
  const attemptOnce = createSingleAttempt(options);
  const urlOf = (row: EndpointRow) => (codec.readTarget(row) as WebhookTarget | undefined)?.url;

  const load = async ({ tenantId, id }: TenantScoped): Promise<EndpointRow> => {
    const [row] = await statements.loadEndpoint(query, id);
    if (row === undefined || row.tenant_id !== tenantId) {
      throw new DispatcherError("endpoint_not_found", `There is no endpoint "${id}".`);
    }
    return row;
  };

  /** Null when its URL is another one by now. */
  const markVerified = async (endpoint: TenantScoped, url: string | undefined): Promise<Endpoint | null> => {
    for (;;) {
      const known = await load(endpoint);
      if (url === undefined || urlOf(known) !== url) return null;
      // One that its owner made inactive stays so.
      const becomesActive = known.verification === "pending" && known.disabled_reason === UNVERIFIED;
      const [row] = await statements.updateEndpoint(query, endpoint, {
        name: null,
        destination: null,
        target: null,
        events: null,
        policy: null,
        active: becomesActive ? true : null,
        contactAddress: null,
        verification: "verified",
        onlyVersion: known.version,
        now: isoTime(settings.clock.now()),
      });
      // Somebody else changed the endpoint meanwhile: look again.
      if (row === undefined) continue;
      cache.forget(row.id);
      if (becomesActive) await held.resume(row.id);
      return codec.show(row);
    }
  };

  return async function verify(endpoint) {
    checkScoped(endpoint);
    const row = await load(endpoint);
    if (row.destination !== WEBHOOK_DESTINATION_ID) {
      throw new DispatcherError("invalid_endpoint", `"${row.destination}" has no URL to verify.`, {
        issues: [{ path: "destination", message: "has no URL to verify" }],
      });
    }
    const challenge = randomBytes(32).toString("base64url");
    const event = await toEventRow(
      { tenantId: row.tenant_id, type: TYPE, data: { challenge } },
      { catalogue: createEventCatalogue([]), maxBytes: settings.maxEventBytes, nowMs: settings.clock.now() },
    );
    const made = await attemptOnce(row, event, challengeDestination(challenge) as Destination);
    const verified = made.attempt.outcome === "delivered" ? await markVerified(endpoint, urlOf(row)) : null;
    return { ...made, verified: verified !== null, endpoint: verified ?? codec.show(await load(endpoint)) };
  };
}

function challengeDestination(challenge: string): Destination<WebhookTarget, never> {
  return {
    id: WEBHOOK_DESTINATION_ID,
    plan(event, { endpoint, now }) {
      const payload = { body: JSON.stringify({ type: TYPE, challenge }), headers: { "user-agent": USER_AGENT } };
      return { kind: "request", request: signedRequest({ endpoint, id: event.id, now }, payload) };
    },
    interpret(response): Interpretation<never> {
      if (response.status < 200 || response.status > 299) return { outcome: "dead" };
      return isEcho(response, challenge)
        ? { outcome: "delivered" }
        : { outcome: "dead", reason: "The answer does not hold the challenge." };
    },
  };
}

function isEcho({ body }: DestinationResponse, challenge: string): boolean {
  if (body.trim() === challenge) return true;
  try {
    const answer: unknown = JSON.parse(body);
    return (answer as { readonly challenge?: unknown } | null)?.challenge === challenge;
  } catch {
    // Neither of the two forms.
    return false;
  }
}
