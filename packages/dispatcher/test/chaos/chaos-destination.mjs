/** Posts what is sent directly, by its delivery's id, to a receiver of chaos. */
export const CHAOS_DIRECT = {
  id: "chaos-direct",
  plan: (event, { endpoint, deliveryId }) => ({
    kind: "request",
    request: {
      method: "POST",
      url: endpoint.target.url,
      headers: { "content-type": "application/json", "webhook-id": deliveryId },
      body: JSON.stringify({ data: event.data }),
    },
  }),
};
