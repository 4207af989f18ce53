import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { problem } from "./problem.js";

/** Refuses a larger body with 413, announced or not, before the route reads it. */
export function limitBody(maxBytes: number): MiddlewareHandler {
  return bodyLimit({
    maxSize: maxBytes,
    onError(c) {
      // The rest of the body is still on its way, so this connection is of no use for a next request.
      c.header("connection", "close");
      return problem(c, {
        status: 413,
        code: "body_too_large",
        detail: `The body of this route has at most ${maxBytes} bytes.`,
      });
    },
  });
}
