import { OpenAPIHono } from "@hono/zod-openapi";
import type { Env } from "hono";
import { problem } from "./problem.js";

/** A router whose routes are documented and whose validation errors are problem details that name each field. */
export function createRouter<E extends Env = Env>(): OpenAPIHono<E> {
  return new OpenAPIHono<E>({
    defaultHook: (result, c) => {
      if (result.success) return undefined;
      const place = result.target === "json" || result.target === "form" ? "body" : result.target;
      return problem(c, {
        status: 400,
        code: "validation_failed",
        detail: "The request does not have the form that this route asks for.",
        errors: result.error.issues.map(({ path, message }) => ({ pointer: pointerTo([place, ...path]), message })),
      });
    },
  });
}

/** @see https://www.rfc-editor.org/rfc/rfc6901 */
export function pointerTo(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
