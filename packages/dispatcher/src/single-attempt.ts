import { type Destination, newId, type SqlQuery } from "@hookline/core";
import type { AddressGuard } from "./address-guard.js";
import { type AttemptInput, createAttempt } from "./attempt.js";
import { createAttemptEnd } from "./attempt-end.js";
import type { Attempt } from "./delivery.js";
import { toAttempt } from "./delivery-rows.js";
import type { EndpointCodec, OpenEndpoint } from "./endpoint-codec.js";
import { createHttpSender } from "./http-sender.js";
import type { Job } from "./job.js";
import type { Settings } from "./options.js";
import { createOriginPools } from "./origin-pools.js";
import { signingSecrets } from "./secrets.js";
import type { EndpointRow } from "./sql/endpoint-row.js";
import type { EventRow } from "./sql/publish-events.js";
import type { Statements } from "./sql/statements.js";
import { createStoredEvent } from "./stored-event.js";
import { createThinkingTime } from "./thinking-time.js";
import { endpointUnreadable, isUnreadable } from "./unreadable-target.js";
import { createVerdict } from "./verdict.js";

/** What came of one attempt apart from the queue. `attempt.outcome` is `delivered`, or says why not. */
export interface SingleAttempt {
  readonly eventId: string;
  readonly deliveryId: string;
  readonly attempt: Attempt;
}

export interface SingleAttemptOptions {
  readonly settings: Settings;
  readonly query: SqlQuery;
  readonly statements: Statements;
  readonly codec: EndpointCodec;
  readonly guard: AddressGuard;
}

/** Makes one attempt at one endpoint, apart from the queue, and puts it in the log. */
export function createSingleAttempt(
  options: SingleAttemptOptions,
): (row: EndpointRow, event: EventRow, destination: Destination) => Promise<SingleAttempt> {
  const { settings, query, statements, codec, guard } = options;
  const { clock } = settings;
  const verdict = createVerdict({
    schedule: { delaysMs: [] },
    maxRetryAfterMs: settings.maxRetryAfterMs,
    random: settings.random,
  });

  const open = (row: EndpointRow): OpenEndpoint => {
    try {
      return codec.open(row);
    } catch (error) {
      throw isUnreadable(error) ? endpointUnreadable("target", "give the key back", error) : error;
    }
  };

  return async function attemptOnce(row, event, destination) {
    const startedAtMs = clock.now();
    const endpoint = open(row);
    const job: Job = {
      deliveryId: newId("dlv", startedAtMs),
      tenantId: row.tenant_id,
      event: createStoredEvent({ ...event, timestamp: event.occurredAt, dataText: event.body }),
      recipient: { kind: "endpoint", endpointId: row.id, version: row.version },
      // Marks the attempt: what was made past the queue is not recovered with what was in it.
      leaseNo: 0,
      leasedUntilMs: Number.POSITIVE_INFINITY,
      attempts: 0,
      firstAttempt: 0,
      deadlineMs: null,
      health: null,
      isProbe: false,
      traceContext: null,
    };
    const timeoutMs = Math.min(endpoint.policy.timeoutMs ?? settings.timeoutMs, settings.maxTimeoutMs);
    const pools = createOriginPools({ guard, connectTimeoutMs: timeoutMs, clock, proxy: settings.proxy });
    const sender = createHttpSender({ guard, pools, maxResponseBytes: settings.maxResponseBytes });
    const attempt = createAttempt({
      sender,
      keptResponseCharacters: settings.keptResponseCharacters,
      // Whoever asks for a single one waits for it.
      thinking: createThinkingTime(),
    });
    const end = createAttemptEnd();
    const cancelTimer = clock.setTimer(() => end.abort(new Error("The time limit is over.")), timeoutMs);
    const { id, tenantId, target } = endpoint;
    try {
      const input: AttemptInput = {
        job,
        destination,
        endpoint: { id, tenantId, target, secrets: signingSecrets(endpoint.secrets, startedAtMs) },
        state: null,
        startedAtMs,
        usedUp: false,
        end,
      };
      const result = await attempt(input, null);
      const made = verdict({ job, result, policy: {}, entity: null, startedAtMs, endedAtMs: clock.now() });
      const [logged] = await statements.recordTest(query, { event, attempt: made, endpointId: id });
      if (logged === undefined) throw new Error("The attempt was made and could not be recorded.");
      return { eventId: event.id, deliveryId: job.deliveryId, attempt: toAttempt(logged) };
    } finally {
      cancelTimer();
      await pools.close();
    }
  };
}
