import type { DestinationRegistry } from "./destinations/registry.js";
import type { TenantScoped } from "./endpoint.js";
import { DispatcherError } from "./errors.js";
import { createEventCatalogue } from "./event-catalogue.js";
import { toEventRow } from "./event-input.js";
import { checkScoped } from "./query-input.js";
import { createSingleAttempt, type SingleAttempt, type SingleAttemptOptions } from "./single-attempt.js";
import type { EventRow } from "./sql/publish-events.js";

/** What `endpoints.test` takes. */
export interface EndpointTest extends TenantScoped {
  /** Of the catalogue, whose example is sent. Default `webhook.test`, which needs no entry. */
  readonly type?: string;
}

/** What came of it. `attempt.outcome` is `delivered`, or says why not. */
export interface EndpointTestResult extends SingleAttempt {}

const TEST_TYPE = "webhook.test";

export function createEndpointTest(
  options: SingleAttemptOptions & { readonly registry: DestinationRegistry },
): (test: EndpointTest) => Promise<EndpointTestResult> {
  const { settings, query, statements, registry } = options;
  const attemptOnce = createSingleAttempt(options);

  const testEvent = ({ tenantId, id, type }: EndpointTest, nowMs: number): Promise<EventRow> => {
    // An example is what the schema gives back: one that transforms would not take it again.
    const limits = { maxBytes: settings.maxEventBytes, nowMs, catalogue: createEventCatalogue([]) };
    const defined = settings.events.find((event) => event.type === (type ?? TEST_TYPE));
    if (defined !== undefined) {
      return toEventRow({ tenantId, type: defined.type, data: defined.example }, limits);
    }
    if (type !== undefined && type !== TEST_TYPE) {
      throw new DispatcherError("invalid_event", `The catalogue has no "${type}", so there is no example of it.`, {
        issues: [{ path: "type", message: "is not in the catalogue" }],
      });
    }
    const timestamp = new Date(nowMs).toISOString();
    const data = { message: "This request is a test.", timestamp, webhook_id: id };
    return toEventRow({ tenantId, type: TEST_TYPE, data }, limits);
  };

  return async function test(asked) {
    checkScoped(asked);
    const [row] = await statements.loadEndpoint(query, asked.id);
    if (row === undefined || row.tenant_id !== asked.tenantId) {
      throw new DispatcherError("endpoint_not_found", `There is no endpoint "${asked.id}".`);
    }
    const event = await testEvent(asked, settings.clock.now());
    return attemptOnce(row, event, registry.require(row.destination));
  };
}
