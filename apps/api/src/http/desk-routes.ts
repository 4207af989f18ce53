import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { type ApiKeyEnv, createRouter, type Engine, problem, problemResponses, requireApiKey } from "@hookline/engine";
import type { Machines } from "../desk/machines.js";
import type { Tickets } from "../desk/tickets.js";
import { machineSchema, ticketSchema } from "../events.js";

const machine = machineSchema.openapi("Machine");
const ticket = ticketSchema.openapi("Ticket");
const secured = { security: [{ apiKey: [] }], tags: ["Desk"] };
const refusals = problemResponses({
  400: "The request is not of this form.",
  401: "No valid API key.",
  403: "The scope is missing.",
});

const listTickets = createRoute({
  method: "get",
  path: "/v1/tickets",
  summary: "List the newest 100 tickets",
  ...secured,
  responses: {
    200: {
      description: "The tickets.",
      content: { "application/json": { schema: z.object({ tickets: z.array(ticket) }) } },
    },
    ...refusals,
  },
});

const registerMachine = createRoute({
  method: "post",
  path: "/v1/machines",
  summary: "Register a machine, which then waits to be approved; a known host name answers the machine as it is",
  ...secured,
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.object({ hostname: z.string().min(1).max(253), ip_address: z.union([z.ipv4(), z.ipv6()]) }),
        },
      },
    },
  },
  responses: {
    201: { description: "The machine.", content: { "application/json": { schema: machine } } },
    ...refusals,
  },
});

const getMachine = createRoute({
  method: "get",
  path: "/v1/machines/{machineId}",
  summary: "Get a machine",
  ...secured,
  request: { params: z.object({ machineId: z.string().max(128) }) },
  responses: {
    200: { description: "The machine.", content: { "application/json": { schema: machine } } },
    ...refusals,
    ...problemResponses({ 404: "There is no such machine." }),
  },
});

/** The reference domain over HTTP, behind API keys. */
export function createDeskRoutes(options: {
  engine: Engine;
  tickets: Tickets;
  machines: Machines;
}): OpenAPIHono<ApiKeyEnv> {
  const { engine, tickets, machines } = options;
  const router = createRouter<ApiKeyEnv>();
  const readable = requireApiKey(engine, "read");
  const writable = requireApiKey(engine, "write");
  router.on("GET", ["/v1/tickets", "/v1/machines/*"], readable);
  router.on("POST", "/v1/machines", writable);

  router.openapi(listTickets, async (c) =>
    c.json({ tickets: [...(await tickets.list(c.var.principal.tenantId))] }, 200),
  );

  router.openapi(registerMachine, async (c) => {
    const { hostname, ip_address } = c.req.valid("json");
    const { tenantId } = c.var.principal;
    return c.json(await machines.register({ tenantId, hostname, ipAddress: ip_address }), 201);
  });

  router.openapi(getMachine, async (c) => {
    const found = await machines.get(c.var.principal.tenantId, c.req.valid("param").machineId);
    if (found) return c.json(found, 200);
    return problem(c, { status: 404, code: "machine_not_found", detail: "There is no such machine." });
  });

  return router;
}
