import { defineAction } from "@hookline/core";
import { type Engine, isEngineError, type NewAutomation } from "@hookline/engine";
import { z } from "zod";
import { type Priority, prioritySchema } from "../events/ticket-events.js";
import type { Tickets } from "./tickets.js";

/** Priorities as other systems write them: numbers from 0 (low), `medium`. */
const priority = z
  .union([z.string(), z.number()])
  .transform((given) => FOREIGN[String(given).toLowerCase()] ?? String(given).toLowerCase())
  .pipe(prioritySchema);

const FOREIGN: Readonly<Record<string, Priority>> = {
  "": "normal",
  "0": "low",
  "1": "normal",
  "2": "high",
  "3": "urgent",
  medium: "normal",
  critical: "urgent",
};

/** An empty template says nothing. */
const optional = z
  .string()
  .trim()
  .max(300)
  .optional()
  .transform((text) => (text === "" ? undefined : text));

/** What a step of an automation can do at the desk: open a numbered triage ticket, exactly once. */
export function createTicketAction(options: { tickets: Tickets }) {
  return defineAction({
    name: "ticket.create",
    kind: "transactional",
    description: "Opens a numbered triage ticket: name, description, priority, team, category, customer.",
    schema: z.object({
      name: z.string().trim().min(1).max(300),
      description: z.string().max(50_000),
      priority: priority.default("normal"),
      team: optional,
      category: optional,
      customer_email: optional,
      customer_name: optional,
    }),
    async run(input, { tenantId, transaction, idempotencyKey, event }) {
      const ticket = await options.tickets.open(
        {
          tenantId,
          title: input.name,
          description: input.description,
          priority: input.priority,
          createdBy: input.customer_name ?? input.customer_email ?? "automation",
          requestKey: idempotencyKey,
          team: input.team,
          category: input.category,
          customerEmail: input.customer_email,
          customerName: input.customer_name,
          owner: event.subjectId === undefined ? undefined : { contactId: event.subjectId },
        },
        { transaction },
      );
      return { ok: true, output: { id: ticket.id, number: ticket.ticket_number } };
    },
  });
}

const SUPPORT_WEBHOOK = "Tickets from the support webhook";

/** What the support webhook takes in becomes a ticket by an automation that can be changed and switched off. */
export async function ensureSupportAutomation(engine: Engine, tenantId: string): Promise<void> {
  const known = await engine.automations.list({ tenantId });
  if (known.some(({ name }) => name === SUPPORT_WEBHOOK)) return;
  try {
    await engine.automations.create(supportAutomation(tenantId));
  } catch (error) {
    // Another process of the app was as quick.
    if (!isEngineError(error) || error.code !== "name_taken") throw error;
  }
}

const supportAutomation = (tenantId: string): NewAutomation => ({
  tenantId,
  name: SUPPORT_WEBHOOK,
  active: true,
  trigger: { events: ["ticket.create"] },
  steps: [
    {
      id: "ticket",
      action: "ticket.create",
      input: {
        name: "{{ subject }}",
        description: "{{ message }}",
        priority: "{{ priority }}",
        category: "{{ category }}",
        customer_email: "{{ customer_email }}",
        customer_name: "{{ customer_name }}",
      },
    },
  ],
});
