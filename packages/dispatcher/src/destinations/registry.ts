import type { Destination, SchemaIssue } from "@hookline/core";
import { type AddressGuard, type AddressGuardOptions, AddressRefusedError } from "../address-guard.js";
import { DispatcherError, toFieldIssues } from "../errors.js";
import { ENDPOINT_NOTICE_ID } from "./endpoint-notice.js";
import { createWebhookDestination, WEBHOOK_DESTINATION_ID } from "./webhook.js";
import type { WebhookTarget } from "./webhook-target.js";

/** The code of a refused target: of an endpoint, or of a direct send. */
export type TargetRefusal = "invalid_endpoint" | "invalid_message";

export interface DestinationRegistry {
  add(destination: Destination): void;
  get(id: string): Destination | undefined;
  /** Throws `unknown_destination`. */
  require(id: string): Destination;
  /**
   * A target that a caller gave, as it is stored. Throws `refusal` when the destination refuses it, `address_refused` when
   * its URL holds an address that may not be connected to.
   */
  parseTarget(id: string, target: unknown, refusal?: TargetRefusal): unknown;
  /** Whether it signs with a secret of its endpoint. */
  signs(id: string): boolean;
  /** Whether anything is kept between its deliveries. */
  keepsState(id: string): boolean;
}

/** The destinations by id; `webhook` is always there. */
export function createDestinationRegistry(
  destinations: readonly Destination[],
  { addressGuard, guard }: { readonly addressGuard: AddressGuardOptions; readonly guard: AddressGuard },
): DestinationRegistry {
  const webhook = createWebhookDestination(addressGuard) as Destination;
  const byId = new Map<string, Destination>([[WEBHOOK_DESTINATION_ID, webhook]]);
  const add = (destination: Destination): void => {
    if (typeof destination?.id !== "string" || destination.id === "" || typeof destination.plan !== "function") {
      throw new DispatcherError("invalid_options", "A destination has an id and a function plan.", {
        issues: [{ path: "destinations", message: "have an id and a function plan" }],
      });
    }
    if (byId.has(destination.id)) {
      throw new DispatcherError("duplicate_destination", `There is a destination "${destination.id}" already.`);
    }
    byId.set(destination.id, destination);
  };
  for (const destination of destinations) add(destination);
  return {
    add,
    get: (id) => byId.get(id),
    require(id) {
      const destination = byId.get(id);
      // Of the dispatcher's own: whoever could use it could have it mail what they like to anybody.
      if (destination === undefined || id === ENDPOINT_NOTICE_ID) {
        throw new DispatcherError("unknown_destination", `There is no destination "${id}".`);
      }
      return destination;
    },
    parseTarget(id, target, refusal = "invalid_endpoint") {
      const parsed = byId.get(id)?.parseTarget?.(target);
      if (parsed === undefined) return target;
      if (parsed.issues !== undefined) throw invalidTarget(parsed.issues, refusal);
      if (id === WEBHOOK_DESTINATION_ID) checkAddress((parsed.value as WebhookTarget).url, guard);
      return parsed.value;
    },
    signs: (id) => id === WEBHOOK_DESTINATION_ID,
    keepsState: (id) => id !== WEBHOOK_DESTINATION_ID,
  };
}

/** A name is judged when it is connected to: by then it may have other addresses. */
function checkAddress(url: string, guard: AddressGuard): void {
  try {
    guard.check(new URL(url));
  } catch (error) {
    if (!(error instanceof AddressRefusedError)) throw error;
    throw new DispatcherError("address_refused", `The endpoint's target.url is refused. ${error.message}`, {
      cause: error,
      issues: [{ path: "target.url", message: "holds an address that is not public" }],
    });
  }
}

function invalidTarget(schemaIssues: readonly SchemaIssue[], refusal: TargetRefusal): DispatcherError {
  const issues = toFieldIssues("target", schemaIssues);
  const [first] = issues;
  const what = refusal === "invalid_endpoint" ? "endpoint" : "message";
  return new DispatcherError(refusal, `The ${what}'s ${first?.path} ${first?.message}.`, { issues });
}
