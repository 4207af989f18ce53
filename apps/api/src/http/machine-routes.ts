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
import type { Machines } from "../desk/machines.js";
import { machineSchema } from "../events/machine-events.js";
import { idParam, jsonAnswer, REFUSALS, SECURED } from "./desk-route.js";

const machine = machineSchema.openapi("Machine");
const registerMachine = createRoute({
  method: "post",
  path: "/v1/machines",
  summary: "Register a machine, which then waits to be approved; a known host name answers the machine as it is",
  ...SECURED,
  request: {
    body: jsonBody(z.object({ hostname: z.string().min(1).max(253), ip_address: z.union([z.ipv4(), z.ipv6()]) })),
  },
  responses: {
    201: jsonAnswer("The machine.", machine),
    ...REFUSALS,
  },
});

const getMachine = createRoute({
  method: "get",
  path: "/v1/machines/{machineId}",
  summary: "Get a machine",
  ...SECURED,
  request: { params: z.object({ machineId: idParam }) },
  responses: {
    200: jsonAnswer("The machine.", machine),
    ...REFUSALS,
    ...problemResponses({ 404: "There is no such machine." }),
  },
});

/** Machines over HTTP, behind API keys. */
export function createMachineRoutes(options: { engine: Engine; machines: Machines }): OpenAPIHono<ApiKeyEnv> {
  const { engine, machines } = options;
  const router = createRouter<ApiKeyEnv>();
  router.on("GET", "/v1/machines/*", requireApiKey(engine, "read"));
  router.on("POST", "/v1/machines", requireApiKey(engine, "write"));

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
