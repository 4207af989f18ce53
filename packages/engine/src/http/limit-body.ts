import type { Context, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { problem } from "./problem.js";

/** Refuses a larger body with 413, announced or not, before the route reads it. */
export function limitBody(maxBytes: number): MiddlewareHandler {
  const refuse = (c: Context) => {
    // The rest of the body is still on its way, so this connection is of no use for a next request.
    c.header("connection", "close");
    return problem(c, {
      status: 413,
      code: "body_too_large",
      detail: `The body of this route has at most ${maxBytes} bytes.`,
    });
  };
  const limitUnannounced = bodyLimit({ maxSize: maxBytes, onError: refuse });
  return async (c, next) => {
    // Hono's own look begins with the body, and so with making a stream of it: only where no length is announced.
    const announced = c.req.header("content-length");
    if (announced === undefined || c.req.header("transfer-encoding") !== undefined) return limitUnannounced(c, next);
    return Number(announced) <= maxBytes ? next() : refuse(c);
  };
}
