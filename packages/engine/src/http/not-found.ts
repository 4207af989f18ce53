import type { NotFoundHandler } from "hono";
import type { Router } from "hono/router";
import type { RouterRoute } from "hono/types";
import { problem } from "./problem.js";

type AppRouter = Router<[unknown, RouterRoute]>;

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

/** 405 with `Allow` where the path exists under other methods, else 404. */
export function createNotFound(router: AppRouter): NotFoundHandler {
  return (c) => {
    const allowed = METHODS.filter((method) => hasRoute(router, method, c.req.path));
    if (allowed.length === 0) {
      return problem(c, { status: 404, code: "route_not_found", detail: "There is nothing at this path." });
    }
    c.header("allow", allowed.join(", "));
    return problem(c, {
      status: 405,
      code: "method_not_allowed",
      detail: `This path takes ${allowed.join(", ")}.`,
    });
  };
}

function hasRoute(router: AppRouter, method: string, path: string): boolean {
  // Middleware is registered for every method.
  return router.match(method, path)[0].some(([[, route]]) => route.method === method);
}
