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
import type { Accounts } from "../desk/accounts.js";
import { companySchema, userSchema } from "../events/account-events.js";
import { idParam, jsonAnswer, line, REFUSALS, SECURED } from "./desk-route.js";

const taken = problemResponses({ 409: "The name is taken." });

const createCompany = createRoute({
  method: "post",
  path: "/v1/companies",
  summary: "Add a company; its name is unique",
  ...SECURED,
  request: { body: jsonBody(z.object({ name: line() })) },
  responses: { 201: jsonAnswer("The company.", companySchema.openapi("Company")), ...REFUSALS, ...taken },
});

const createUser = createRoute({
  method: "post",
  path: "/v1/users",
  summary: "Create a user account; its name is unique",
  ...SECURED,
  request: {
    body: jsonBody(z.object({ username: line(), email: z.email().max(254), company_id: idParam.optional() })),
  },
  responses: { 201: jsonAnswer("The user.", userSchema.openapi("User")), ...REFUSALS, ...taken },
});

/** Companies and users over HTTP, behind API keys. */
export function createAccountRoutes(options: { engine: Engine; accounts: Accounts }): OpenAPIHono<ApiKeyEnv> {
  const { engine, accounts } = options;
  const router = createRouter<ApiKeyEnv>();
  router.on("POST", ["/v1/companies", "/v1/users"], requireApiKey(engine, "write"));

  router.openapi(createCompany, async (c) => {
    const company = await accounts.createCompany({
      tenantId: c.var.principal.tenantId,
      name: c.req.valid("json").name,
    });
    if (company !== null) return c.json(company, 201);
    return problem(c, { status: 409, code: "name_taken", detail: "There is a company of this name." });
  });

  router.openapi(createUser, async (c) => {
    const { username, email, company_id: companyId } = c.req.valid("json");
    const user = await accounts.createUser({ tenantId: c.var.principal.tenantId, username, email, companyId });
    if (user === "name_taken") {
      return problem(c, { status: 409, code: "name_taken", detail: "There is a user of this name." });
    }
    if (user === "unknown_company") {
      return problem(c, { status: 400, code: "unknown_company", detail: "There is no company of this company_id." });
    }
    return c.json(user, 201);
  });

  return router;
}
