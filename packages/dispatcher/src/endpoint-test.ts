import { newId, type SqlQuery } from "@hookline/core";
import type { AddressGuard } from "./address-guard.js";
import { type AttemptResult, createAttempt } from "./attempt.js";
import { toAttempt } from "./deliveries.js";
import type { Attempt } from "./delivery.js";
import type { DestinationRegistry } from "./destinations/registry.js";
import type { TenantScoped } from "./endpoint.js";
import type { EndpointCodec, OpenEndpoint } from "./endpoint-codec.js";
import { DispatcherError } from "./errors.js";
import { createEventCatalogue } from "./event-catalogue.js";
import { toEventRow } from "./event-input.js";
import { createHttpSender } from "./http-sender.js";
import type { Job } from "./job.js";
import type { Settings } from "./options.js";
import { createOriginPools } from "./origin-pools.js";
import { signingSecrets } from "./secrets.js";
import type { EventRow } from "./sql/publish-events.js";
import type { Statements } from "./sql/statements.js";
import { createStoredEvent } from "./stored-event.js";
import { createVerdict } from "./verdict.js";

/** What `endpoints.test` takes. */
export interface EndpointTest extends TenantScoped {
  /** Of the catalogue, whose example is sent. Default `webhook.test`, which needs no entry. */
  readonly type?: string;
}

/** What came of it. `attempt.outcome` is `delivered`, or says why not. */
export interface EndpointTestResult {
  readonly eventId: string;
  readonly deliveryId: string;
  readonly attempt: Attempt;
}

const TEST_TYPE = "webhook.test";

/** Makes one attempt at one endpoint, apart from the queue, and puts it in the log. */
export function createEndpointTest(options: {
  readonly settings: Settings;
  readonly query: SqlQuery;
  readonly statements: Statements;
  readonly registry: DestinationRegistry;
  readonly codec: EndpointCodec;
  readonly guard: AddressGuard;
}): (test: EndpointTest) => Promise<EndpointTestResult> {
  const { settings, query, statements, registry, codec, guard } = options;
  const { clock } = settings;
  const verdict = createVerdict({
    schedule: { delaysMs: [] },
    maxRetryAfterMs: settings.maxRetryAfterMs,
    random: settings.random,
  });

  const testEvent = ({ tenantId, id, type }: EndpointTest, nowMs: number): Promise<EventRow> => {
    const limits = { maxBytes: settings.maxEventBytes, nowMs };
    const defined = settings.events.find((event) => event.type === (type ?? TEST_TYPE));
    if (defined !== undefined) {
      const input = { tenantId, type: defined.type, data: defined.example };
      return toEventRow(input, { ...limits, catalogue: createEventCatalogue([defined]) });
    }
    if (type !== undefined && type !== TEST_TYPE) {
      throw new DispatcherError("invalid_event", `The catalogue has no "${type}", so there is no example of it.`, {
        issues: [{ path: "type", message: "is not in the catalogue" }],
      });
    }
    const timestamp = new Date(nowMs).toISOString();
    const data = { message: "This request is a test.", timestamp, webhook_id: id };
    return toEventRow({ tenantId, type: TEST_TYPE, data }, { ...limits, catalogue: createEventCatalogue([]) });
  };

  const attemptNow = async (job: Job, endpoint: OpenEndpoint): Promise<AttemptResult> => {
    const timeoutMs = Math.min(endpoint.policy.timeoutMs ?? settings.timeoutMs, settings.maxTimeoutMs);
    const pools = createOriginPools({ guard, connectTimeoutMs: timeoutMs, clock, proxy: settings.proxy });
    const sender = createHttpSender({ guard, pools, maxResponseBytes: settings.maxResponseBytes });
    const attempt = createAttempt({ sender, keptResponseCharacters: settings.keptResponseCharacters });
    const controller = new AbortController();
    const cancelTimer = clock.setTimer(() => controller.abort(new Error("The time limit is over.")), timeoutMs);
    const startedAtMs = clock.now();
    const secrets = signingSecrets(endpoint.secrets, startedAtMs);
    try {
      return await attempt({
        job,
        destination: registry.require(endpoint.destination),
        endpoint: { id: endpoint.id, tenantId: endpoint.tenantId, target: endpoint.target, secrets },
        state: null,
        startedAtMs,
        usedUp: false,
        signal: controller.signal,
      });
    } finally {
      cancelTimer();
      await pools.close();
    }
  };

  return async function test(asked) {
    const { tenantId, id } = asked;
    const [row] = await statements.loadEndpoint(query, id);
    if (row === undefined || row.tenant_id !== tenantId) {
      throw new DispatcherError("endpoint_not_found", `There is no endpoint "${id}".`);
    }
    const startedAtMs = clock.now();
    const event = await testEvent(asked, startedAtMs);
    const job: Job = {
      deliveryId: newId("dlv", startedAtMs),
      tenantId,
      event: createStoredEvent({ ...event, timestamp: event.occurredAt, dataText: event.body }),
      recipient: { kind: "endpoint", endpointId: id, version: row.version },
      leaseNo: 1,
      leasedUntilMs: Number.POSITIVE_INFINITY,
      attempts: 0,
      firstAttempt: 0,
      deadlineMs: null,
    };
    const result = await attemptNow(job, codec.open(row));
    const endedAtMs = clock.now();
    const made = verdict({ job, result, policy: {}, entity: null, startedAtMs, endedAtMs });
    const [logged] = await statements.recordTest(query, { event, attempt: made, endpointId: id });
    if (logged === undefined) throw new Error("The attempt was made and could not be recorded.");
    return { eventId: event.id, deliveryId: job.deliveryId, attempt: toAttempt(logged) };
  };
}
