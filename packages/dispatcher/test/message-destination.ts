import { defineDestination } from "@hookline/core";
import { TENANT } from "./open-dispatcher.js";

export const QUICK = { retrySchedule: { delaysMs: [1, 1], jitterRatio: 0 } };
export const EVENT = { tenantId: TENANT, type: "machine.registered", data: { machine: "m1" } };

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
