import { type Action, type ActionResult, defineAction, type Event } from "@hookline/core";
import { z } from "zod";
import { isPlainObject } from "../storage/text.js";
import { AUTOMATION_DEPTH_HEADER, type Causation } from "./causation.js";
import { HTTP_REQUEST_DESTINATION_ID } from "./http-request-destination.js";

export interface BuiltInActionsOptions {
  readonly causation: Causation;
  /** Ids of destinations that `message.send` takes. Every other one is the app's own business. */
  readonly messageDestinations: readonly string[];
}

export const MESSAGE_SEND_ACTION = "message.send";

/** Actions that need nothing but the outbox: what they make is a delivery, and commits with their step. */
export function builtInActions({ causation, messageDestinations }: BuiltInActionsOptions): readonly Action[] {
  const { outbox } = causation;
  const publishEvent = defineAction({
    name: "event.publish",
    kind: "transactional",
    description: "Publishes an event, which other automations and endpoints may be waiting for.",
    schema: z.object({ type: z.string(), data: z.unknown(), subjectId: z.string().optional() }),
    async run({ type, data, ...said }, { tenantId, transaction, idempotencyKey, event }): Promise<ActionResult> {
      // What is made of an event about somebody is about the same, unless the step says otherwise.
      const { subjectId = event.subjectId } = said;
      const published = { tenantId, type, data, idempotencyKey, ...(subjectId === undefined ? {} : { subjectId }) };
      const { id } = await outbox.publish(published, { transaction });
      return { ok: true, output: { eventId: id } };
    },
  });

  const sendMessage = defineAction({
    name: MESSAGE_SEND_ACTION,
    kind: "transactional",
    description: "Sends data to a destination, such as a message to a Discord channel.",
    schema: z.object({
      destination: z.string().refine((id) => messageDestinations.includes(id), {
        error: ({ input }) => notAllowed(input, messageDestinations),
      }),
      target: z.unknown(),
      data: z.unknown(),
    }),
    async run({ destination, target, data }, context): Promise<ActionResult> {
      const { tenantId, transaction, idempotencyKey, event } = context;
      const message = { tenantId, destination, target, data, idempotencyKey, subjectIds: subjectsOf(event) };
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
    async run({ body, headers, ...request }, context): Promise<ActionResult> {
      const { tenantId, transaction, idempotencyKey, event } = context;
      const destination = HTTP_REQUEST_DESTINATION_ID;
      // A step can't say that fewer stand behind it.
      const own = Object.entries(headers).filter(([name]) => name.toLowerCase() !== AUTOMATION_DEPTH_HEADER);
      const depth = String(causation.depthIn(transaction));
      const target = { ...request, headers: { ...Object.fromEntries(own), [AUTOMATION_DEPTH_HEADER]: depth } };
      const data = body ?? null;
      const { deliveryId } = await outbox.send(
        { tenantId, destination, target, data, idempotencyKey, subjectIds: subjectsOf(event) },
        { transaction },
      );
      return { ok: true, output: { deliveryId } };
    },
  });

  return [publishEvent, sendMessage, httpRequest] as readonly Action[];
}

/** What is wrong with the destination of a `message.send` as it is stored: a template could name any. */
export function* destinationIssues(input: unknown, messageDestinations: readonly string[]): Generator<string> {
  const destination = isPlainObject(input) ? input.destination : undefined;
  if (typeof destination !== "string" || !messageDestinations.includes(destination)) {
    yield `destination: ${notAllowed(destination, messageDestinations)}`;
  }
}

function notAllowed(destination: unknown, messageDestinations: readonly string[]): string {
  const named = typeof destination === "string" ? `"${destination}"` : "this";
  const allowed =
    messageDestinations.length === 0 ? "none is allowed here" : `allowed: ${messageDestinations.join(", ")}`;
  return `automations may not send to ${named}; ${allowed}`;
}

const subjectsOf = ({ subjectId }: Event): readonly string[] => (subjectId === undefined ? [] : [subjectId]);
