import type { MiddlewareHandler } from "hono";
import type { ApiKeyScope, Principal } from "../access/api-keys.js";
import type { Engine } from "../engine.js";
import { problem } from "./problem.js";

/** The environment of routes behind {@link requireApiKey}: `c.var.principal`. */
export interface ApiKeyEnv {
  Variables: { principal: Principal };
}

/** Lets requests with an API key of this scope pass; answers 401 or 403 to the others. */
export function requireApiKey(engine: Pick<Engine, "authenticate">, scope: ApiKeyScope): MiddlewareHandler<ApiKeyEnv> {
  return async (c, next) => {
    const principal = await engine.authenticate(c.req.raw);
    if (!principal) {
      c.header("www-authenticate", "Bearer");
      return problem(c, {
        status: 401,
        code: "unauthorized",
        detail: "A valid API key is needed: Authorization: Bearer …",
      });
    }
    if (!principal.scopes.includes(scope)) {
      return problem(c, {
        status: 403,
        code: "scope_missing",
        detail: `This API key does not have the scope "${scope}".`,
      });
    }
    c.set("principal", principal);
    return next();
  };
}
