import { type Action, type ActionResult, defineAction, type Outbox } from "@hookline/core";
import { z } from "zod";
import { HTTP_REQUEST_DESTINATION_ID } from "./http-request-destination.js";

/** Actions that need nothing but the outbox: what they make is a delivery, and commits with their step. */
export function builtInActions(outbox: Outbox): readonly Action[] {
  const publishEvent = defineAction({
    name: "event.publish",
    kind: "transactional",
    description: "Publishes an event, which other automations and endpoints may be waiting for.",
    schema: z.object({ type: z.string(), data: z.unknown(), subjectId: z.string().optional() }),
    async run({ type, data, subjectId }, { tenantId, transaction, idempotencyKey }): Promise<ActionResult> {
      const event = { tenantId, type, data, idempotencyKey, ...(subjectId === undefined ? {} : { subjectId }) };
      const { id } = await outbox.publish(event, { transaction });
      return { ok: true, output: { eventId: id } };
    },
  });

  const sendMessage = defineAction({
    name: "message.send",
    kind: "transactional",
    description: "Sends data to a destination, such as a message to a Discord channel.",
    schema: z.object({ destination: z.string(), target: z.unknown(), data: z.unknown() }),
    async run({ destination, target, data }, { tenantId, transaction, idempotencyKey }): Promise<ActionResult> {
      const message = { tenantId, destination, target, data, idempotencyKey };
      const { deliveryId } = await outbox.send(message, { transaction });
      return { ok: true, output: { deliveryId } };
    },
  });

  const httpRequest = defineAction({
    name: "http.request",
    kind: "transactional",
    description: "Makes an HTTP request as a delivery: with retries, limits, history and the address guard.",
    schema: z.object({
      url: z.url({ protocol: /^https?$/ }),
      method: z.enum(["POST", "PUT", "PATCH", "DELETE"]).default("POST"),
      headers: z.record(z.string(), z.string()).default({}),
      body: z.unknown(),
    }),
    async run({ body, ...target }, { tenantId, transaction, idempotencyKey }): Promise<ActionResult> {
      const destination = HTTP_REQUEST_DESTINATION_ID;
      const data = body ?? null;
      const { deliveryId } = await outbox.send(
        { tenantId, destination, target, data, idempotencyKey },
        { transaction },
      );
      return { ok: true, output: { deliveryId } };
    },
  });

  return [publishEvent, sendMessage, httpRequest] as readonly Action[];
}
