import type { Destination } from "@hookline/core";
import { DispatcherError } from "../errors.js";
import { ENDPOINT_NOTICE_ID } from "./endpoint-notice.js";
import { createWebhookDestination, WEBHOOK_DESTINATION_ID } from "./webhook.js";

export interface DestinationRegistry {
  add(destination: Destination): void;
  get(id: string): Destination | undefined;
  /** Throws `unknown_destination`. */
  require(id: string): Destination;
  /** Whether it signs with a secret of its endpoint. */
  signs(id: string): boolean;
  /** Whether anything is kept between its deliveries. */
  keepsState(id: string): boolean;
}

/** The destinations by id; `webhook` is always there. */
export function createDestinationRegistry(destinations: readonly Destination[]): DestinationRegistry {
  const byId = new Map<string, Destination>([[WEBHOOK_DESTINATION_ID, createWebhookDestination() as Destination]]);
  const add = (destination: Destination): void => {
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
    signs: (id) => id === WEBHOOK_DESTINATION_ID,
    keepsState: (id) => id !== WEBHOOK_DESTINATION_ID,
  };
}
