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
import type { Inventory } from "../desk/inventory.js";
import { alertSchema, assetSchema, assetStatusSchema } from "../events/inventory-events.js";
import { idParam, jsonAnswer, line, longText, REFUSALS, SECURED } from "./desk-route.js";

const asset = assetSchema.openapi("Asset");
const alert = alertSchema.openapi("Alert");

const listAssets = createRoute({
  method: "get",
  path: "/v1/assets",
  summary: "List the newest 100 assets",
  ...SECURED,
  responses: { 200: jsonAnswer("The assets.", z.object({ assets: z.array(asset) })), ...REFUSALS },
});

const addAsset = createRoute({
  method: "post",
  path: "/v1/assets",
  summary: "Register an asset",
  ...SECURED,
  request: { body: jsonBody(z.object({ name: line(), description: longText(), created_by: line() })) },
  responses: { 201: jsonAnswer("The asset.", asset), ...REFUSALS },
});

const changeAsset = createRoute({
  method: "patch",
  path: "/v1/assets/{assetId}",
  summary: "Change an asset's name, description or status",
  ...SECURED,
  request: {
    params: z.object({ assetId: idParam }),
    body: jsonBody(
      z.object({
        changed_by: line(),
        name: line().optional(),
        description: longText().optional(),
        status: assetStatusSchema.optional(),
      }),
    ),
  },
  responses: {
    200: jsonAnswer("The asset.", asset),
    ...REFUSALS,
    ...problemResponses({ 404: "There is no such asset." }),
  },
});

const triggerAlert = createRoute({
  method: "post",
  path: "/v1/alerts",
  summary: "Raise an alert",
  ...SECURED,
  request: {
    body: jsonBody(
      z.object({ title: line(), message: longText(), severity: alertSchema.shape.severity, source: line() }),
    ),
  },
  responses: { 201: jsonAnswer("The alert.", alert), ...REFUSALS },
});

/** Assets and alerts over HTTP, behind API keys. */
export function createInventoryRoutes(options: { engine: Engine; inventory: Inventory }): OpenAPIHono<ApiKeyEnv> {
  const { engine, inventory } = options;
  const router = createRouter<ApiKeyEnv>();
  router.on("GET", "/v1/assets", requireApiKey(engine, "read"));
  router.on(["POST", "PATCH"], ["/v1/assets", "/v1/assets/*", "/v1/alerts"], requireApiKey(engine, "write"));

  router.openapi(listAssets, async (c) =>
    c.json({ assets: [...(await inventory.listAssets(c.var.principal.tenantId))] }, 200),
  );

  router.openapi(addAsset, async (c) => {
    const { name, description, created_by: createdBy } = c.req.valid("json");
    const { tenantId } = c.var.principal;
    return c.json(await inventory.addAsset({ tenantId, name, description, createdBy }), 201);
  });

  router.openapi(changeAsset, async (c) => {
    const { changed_by: changedBy, ...change } = c.req.valid("json");
    const key = { tenantId: c.var.principal.tenantId, id: c.req.valid("param").assetId };
    const changed = await inventory.changeAsset(key, { changedBy, ...change });
    if (changed !== null) return c.json(changed, 200);
    return problem(c, { status: 404, code: "asset_not_found", detail: "There is no such asset." });
  });

  router.openapi(triggerAlert, async (c) => {
    const { tenantId } = c.var.principal;
    return c.json(await inventory.triggerAlert({ tenantId, ...c.req.valid("json") }), 201);
  });

  return router;
}
