import { type Destination, defineDestination } from "@hookline/core";
import type { TestDatabases } from "@hookline/postgres/testing";
import { openDispatcher, TENANT } from "./open-dispatcher.js";

export const QUICK = { retrySchedule: { delaysMs: [1, 1], jitterRatio: 0 } };
export const EVENT = { tenantId: TENANT, type: "machine.registered", data: { machine: "m1" } };

/** A dispatcher that delivers, with one destination of the test's own. */
export async function openWith(databases: TestDatabases, destination: Destination, options: object) {
  const opened = await openDispatcher(databases, { ...options, destinations: [destination] });
  await opened.dispatcher.start();
  return opened;
}

/** A direct send to the destination `work`. */
export const direct = (more: object = {}) => ({
  tenantId: TENANT,
  destination: "work",
  target: null,
  data: { n: 1 },
  ...more,
});

/** Posts a message for an entity and edits it from then on, as a chat does. */
export const messages = defineDestination<{ readonly url: string }, { readonly messageId: string }>({
  id: "messages",
  entityOf: (event) => (event.data as { machine: string }).machine,
  plan: (event, { endpoint, state }) => ({
    kind: "request",
    request: {
      method: state === null ? "POST" : "PATCH",
      url: state === null ? endpoint.target.url : `${endpoint.target.url}/${state.messageId}`,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(event.data),
    },
  }),
  interpret(response) {
    if (response.status >= 300) return { outcome: "retry" };
    return { outcome: "delivered", state: { messageId: JSON.parse(response.body).id } };
  },
});
