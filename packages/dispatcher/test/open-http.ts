import type { TestDatabases } from "@hookline/postgres/testing";
import { Hono } from "hono";
import { webhookRoutes } from "../src/http/index.js";
import { openDispatcher, TENANT } from "./open-dispatcher.js";

/** A dispatcher behind its routes, and a caller of ours, of another tenant (`theirs`) or of nobody. */
export async function openHttp(
  databases: TestDatabases,
  options: Parameters<typeof openDispatcher>[1] = {},
  offered: { readonly destinations?: readonly string[] } = {},
) {
  const { dispatcher, database, schema } = await openDispatcher(databases, options);
  const app = new Hono();
  const tenants: Readonly<Record<string, string>> = { "Bearer ours": TENANT, "Bearer theirs": "other" };
  const routes = webhookRoutes(dispatcher, {
    ...offered,
    authenticate: async (request) => {
      const tenantId = tenants[request.headers.get("authorization") ?? ""];
      return tenantId === undefined ? null : { tenantId };
    },
  });
  app.route("/", routes);
  const call = async (method: string, path: string, { body, as = "ours" }: { body?: unknown; as?: string } = {}) => {
    const response = await app.request(path, {
      method,
      headers: {
        authorization: `Bearer ${as}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? null : JSON.parse(text) };
  };
  return { dispatcher, database, schema, call, routes };
}
