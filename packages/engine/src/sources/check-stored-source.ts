import { DEFAULTS } from "../defaults.js";
import { isPlainObject } from "../storage/text.js";
import { readAllowedAddresses } from "./allowed-addresses.js";
import { readBearerTokens } from "./bearer-tokens.js";
import type { CheckedSource } from "./check-source.js";
import { erxesSchemes } from "./erxes-schemes.js";
import { fieldSchema, identitiesIn } from "./field-schema.js";
import { type KeptSecrets, validValues } from "./source-secrets.js";
import type { StoredSource } from "./stored-source.js";

/** A stored source as requests are checked by it at a time: with the secrets that fit then. */
export function checkStoredSource(source: StoredSource, kept: KeptSecrets, now: Date): CheckedSource {
  const { preventReplay, allowedAddresses, eventType, requestsPerMinute, maxBodyBytes } = source;
  const secrets = validValues(kept.secrets, now);
  const { toleranceSeconds, replayTtlSeconds } = DEFAULTS.source;
  return {
    id: source.id,
    policy: source.endpoint,
    path: source.path,
    method: source.method,
    tenantId: source.tenantId,
    active: source.active,
    signatures: source.signature
      ? erxesSchemes({ preventReplay }).map((scheme) => ({ scheme, secrets, toleranceSeconds }))
      : [],
    replayTtlSeconds: preventReplay ? replayTtlSeconds : null,
    acceptsBearer: source.bearer ? readBearerTokens(validValues(kept.bearerTokens, now)) : null,
    allowsAddress: allowedAddresses.length === 0 ? null : readAllowedAddresses(allowedAddresses),
    rateLimit: { max: requestsPerMinute, windowSeconds: 60 },
    maxBodyBytes,
    schema: fieldSchema(source.fields),
    transform(body, { executionId, receivedAt }) {
      // The schema lets nothing else pass.
      if (!isPlainObject(body)) return [];
      const event = { type: eventType, idempotencyKey: `source:${executionId}`, data: body };
      const identities = identitiesIn(source.fields, body);
      return identities.length === 0 ? [event] : [{ ...event, timestamp: receivedAt, identities }];
    },
  };
}
