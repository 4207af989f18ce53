import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import {
  type ApiKeyEnv,
  createRouter,
  type Engine,
  jsonBody,
  problem,
  problemResponses,
  requireApiKey,
} from "@hookline/engine";
import type { Conversations } from "../desk/conversations.js";
import type { Tickets } from "../desk/tickets.js";
import { conversationSchema, feedbackSchema } from "../events/conversation-events.js";
import { prioritySchema, ticketSchema, ticketStatusSchema } from "../events/ticket-events.js";
import { idParam, jsonAnswer, line, longText, REFUSALS, SECURED } from "./desk-route.js";

const ticket = ticketSchema.openapi("Ticket");
const conversation = conversationSchema.openapi("ConversationMessage");
const feedback = feedbackSchema.openapi("Feedback");
const params = z.object({ ticketId: idParam });
const notFound = problemResponses({ 404: "There is no such ticket." });

const listTickets = createRoute({
  method: "get",
  path: "/v1/tickets",
  summary: "List the newest 100 tickets",
  ...SECURED,
  responses: { 200: jsonAnswer("The tickets.", z.object({ tickets: z.array(ticket) })), ...REFUSALS },
});

const openTicket = createRoute({
  method: "post",
  path: "/v1/tickets",
  summary: "Open a ticket; the same idempotency_key answers the ticket that it opened first",
  ...SECURED,
  request: {
    body: jsonBody(
      z.object({
        title: line(),
        description: longText(),
        priority: prioritySchema.default("normal"),
        created_by: line(),
        idempotency_key: line(200).optional(),
        category: line().optional(),
        team: line().optional(),
        customer_email: z.email().max(254).optional(),
        customer_name: line().optional(),
      }),
    ),
  },
  responses: { 201: jsonAnswer("The ticket.", ticket), ...REFUSALS },
});

const getTicket = createRoute({
  method: "get",
  path: "/v1/tickets/{ticketId}",
  summary: "Get a ticket with its last three notes",
  ...SECURED,
  request: { params },
  responses: { 200: jsonAnswer("The ticket.", ticket), ...REFUSALS, ...notFound },
});

const changeTicket = createRoute({
  method: "patch",
  path: "/v1/tickets/{ticketId}",
  summary: "Change a ticket: status, priority, team, assignee, title, description",
  ...SECURED,
  request: {
    params,
    body: jsonBody(
      z.object({
        changed_by: line(),
        title: line().optional(),
        description: longText().optional(),
        status: ticketStatusSchema.optional(),
        priority: prioritySchema.optional(),
        team: line().optional(),
        assignee: line().optional(),
      }),
    ),
  },
  responses: { 200: jsonAnswer("The ticket.", ticket), ...REFUSALS, ...notFound },
});

const addNote = createRoute({
  method: "post",
  path: "/v1/tickets/{ticketId}/notes",
  summary: "Add a note to a ticket",
  ...SECURED,
  request: { params, body: jsonBody(z.object({ author: line(), text: longText() })) },
  responses: { 201: jsonAnswer("The ticket.", ticket), ...REFUSALS, ...notFound },
});

const escalateTicket = createRoute({
  method: "post",
  path: "/v1/tickets/{ticketId}/escalate",
  summary: "Pass a ticket on to a team; its priority is high at least from then on",
  ...SECURED,
  request: { params, body: jsonBody(z.object({ escalated_by: line(), team: line(), reason: longText() })) },
  responses: { 200: jsonAnswer("The ticket.", ticket), ...REFUSALS, ...notFound },
});

const addMessage = createRoute({
  method: "post",
  path: "/v1/tickets/{ticketId}/conversation",
  summary: "Add a message to the conversation about a ticket",
  ...SECURED,
  request: {
    params,
    body: jsonBody(z.object({ author: line(), sender: conversationSchema.shape.sender, message: longText() })),
  },
  responses: { 201: jsonAnswer("The message.", conversation), ...REFUSALS, ...notFound },
});

const rateTicket = createRoute({
  method: "post",
  path: "/v1/tickets/{ticketId}/feedback",
  summary: "Rate how a ticket was handled, from 1 to 5",
  ...SECURED,
  request: {
    params,
    body: jsonBody(z.object({ rating: feedbackSchema.shape.rating, comment: longText().optional() })),
  },
  responses: { 201: jsonAnswer("The feedback.", feedback), ...REFUSALS, ...notFound },
});

/** Tickets over HTTP, behind API keys. */
export function createTicketRoutes(options: {
  engine: Engine;
  tickets: Tickets;
  conversations: Conversations;
}): OpenAPIHono<ApiKeyEnv> {
  const { engine, tickets, conversations } = options;
  const router = createRouter<ApiKeyEnv>();
  const paths = ["/v1/tickets", "/v1/tickets/*"];
  router.on("GET", paths, requireApiKey(engine, "read"));
  router.on(["POST", "PATCH"], paths, requireApiKey(engine, "write"));

  router.openapi(listTickets, async (c) =>
    c.json({ tickets: [...(await tickets.list(c.var.principal.tenantId))] }, 200),
  );

  router.openapi(openTicket, async (c) => {
    const body = c.req.valid("json");
    const opened = await tickets.open({
      tenantId: c.var.principal.tenantId,
      title: body.title,
      description: body.description,
      priority: body.priority,
      createdBy: body.created_by,
      requestKey: `api:${body.idempotency_key ?? crypto.randomUUID()}`,
      category: body.category,
      team: body.team,
      customerEmail: body.customer_email,
      customerName: body.customer_name,
    });
    return c.json(opened, 201);
  });

  router.openapi(getTicket, async (c) => {
    const { tenantId } = c.var.principal;
    const found = await tickets.get({ tenantId, id: c.req.valid("param").ticketId });
    return found === null ? problem(c, TICKET_NOT_FOUND) : c.json(found, 200);
  });

  router.openapi(changeTicket, async (c) => {
    const { changed_by: changedBy, ...change } = c.req.valid("json");
    const { tenantId } = c.var.principal;
    const changed = await tickets.change({ tenantId, id: c.req.valid("param").ticketId }, { changedBy, ...change });
    return changed === null ? problem(c, TICKET_NOT_FOUND) : c.json(changed, 200);
  });

  router.openapi(addNote, async (c) => {
    const { tenantId } = c.var.principal;
    const noted = await tickets.note({ tenantId, id: c.req.valid("param").ticketId }, c.req.valid("json"));
    return noted === null ? problem(c, TICKET_NOT_FOUND) : c.json(noted, 201);
  });

  router.openapi(escalateTicket, async (c) => {
    const { escalated_by: escalatedBy, team, reason } = c.req.valid("json");
    const { tenantId } = c.var.principal;
    const key = { tenantId, id: c.req.valid("param").ticketId };
    const escalated = await tickets.escalate(key, { escalatedBy, team, reason });
    return escalated === null ? problem(c, TICKET_NOT_FOUND) : c.json(escalated, 200);
  });

  router.openapi(addMessage, async (c) => {
    const { tenantId } = c.var.principal;
    const added = await conversations.add({ tenantId, id: c.req.valid("param").ticketId }, c.req.valid("json"));
    return added === null ? problem(c, TICKET_NOT_FOUND) : c.json(added, 201);
  });

  router.openapi(rateTicket, async (c) => {
    const { tenantId } = c.var.principal;
    const rated = await conversations.rate({ tenantId, id: c.req.valid("param").ticketId }, c.req.valid("json"));
    return rated === null ? problem(c, TICKET_NOT_FOUND) : c.json(rated, 201);
  });

  return router;
}

const TICKET_NOT_FOUND = { status: 404, code: "ticket_not_found", detail: "There is no such ticket." } as const;
