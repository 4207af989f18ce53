import { randomUUID } from "node:crypto";
import type { Logger } from "@hookline/core";
import type { MiddlewareHandler } from "hono";
import { setHeader } from "./set-header.js";

const REQUEST_ID = /^[\w.-]{8,64}$/;

/** Sets unless a route has said otherwise. */
const SECURITY_HEADERS = {
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "cross-origin-resource-policy": "same-origin",
} as const;

/** A request id, security headers, and a line in the log that holds no query and no header: tokens travel there. */
export function requestBasics(logger: Logger): MiddlewareHandler {
  return async (c, next) => {
    const startedMs = performance.now();
    const given = c.req.header("x-request-id") ?? "";
    const requestId = REQUEST_ID.test(given) ? given : randomUUID();
    await next();
    setHeader(c, "x-request-id", requestId);
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
      if (!c.res.headers.has(name)) setHeader(c, name, value);
    }
    logger.info(
      {
        requestId,
        method: c.req.method,
        path: c.req.path,
        status: c.res.status,
        durationMs: Math.round(performance.now() - startedMs),
      },
      "request",
    );
  };
}
