import { OpenAPIHono } from "@hono/zod-openapi";
import type { Env } from "hono";
import { problem } from "./problem.js";
import { unstorablePaths } from "./unstorable-paths.js";

/**
 * A router whose routes are documented and whose validation errors are problem details that name each field. What a
 * route declares (path, query, body) holds no U+0000.
 */
export function createRouter<E extends Env = Env>(): OpenAPIHono<E> {
  return new OpenAPIHono<E>({
    defaultHook: (result, c) => {
      const faults = result.success ? unstorable(result.data) : result.error.issues;
      if (faults.length === 0) return undefined;
      const place = result.target === "json" || result.target === "form" ? "body" : result.target;
      return problem(c, {
        status: 400,
        code: "validation_failed",
        detail: "The request does not have the form that this route asks for.",
        errors: faults.map(({ path, message }) => ({ pointer: pointerTo([place, ...path]), message })),
      });
    },
  });
}

function unstorable(data: unknown) {
  return unstorablePaths(data).map((path) => ({ path, message: "must not hold U+0000" }));
}

/** @see https://www.rfc-editor.org/rfc/rfc6901 */
export function pointerTo(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
