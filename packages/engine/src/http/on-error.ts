import type { Logger } from "@hookline/core";
import type { ErrorHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { type EngineErrorCode, isEngineError } from "../errors.js";
import { problem } from "./problem.js";

const STATUS: Readonly<Partial<Record<EngineErrorCode, ContentfulStatusCode>>> = {
  invalid_email: 400,
  invalid_identity: 400,
  invalid_event: 400,
  invalid_properties: 400,
  invalid_cursor: 400,
  invalid_api_key: 400,
  idempotency_key_reused: 409,
  closed: 503,
};

/** How an event log refuses a query, whoever implements it. */
const UNREADABLE_QUERIES: ReadonlySet<unknown> = new Set(["invalid_cursor", "invalid_query"]);

/** Every error as problem details. What was not foreseen says nothing of its cause; the log does. */
export function createErrorHandler(logger: Logger): ErrorHandler {
  return (error, c) => {
    if (isEngineError(error)) {
      const status = STATUS[error.code as EngineErrorCode];
      if (status) return problem(c, { status, code: error.code, detail: error.message });
    }
    if ("code" in error && UNREADABLE_QUERIES.has(error.code)) {
      return problem(c, { status: 400, code: String(error.code), detail: error.message });
    }
    if (error instanceof HTTPException && error.status < 500) {
      const malformedJson = error.status === 400 && /json/i.test(error.message);
      return problem(c, {
        status: error.status as ContentfulStatusCode,
        code: malformedJson ? "invalid_json" : error.status === 413 ? "body_too_large" : "bad_request",
        detail: malformedJson ? "The body is not JSON." : error.message || "The request can't be read.",
      });
    }
    logger.error({ err: error, method: c.req.method, path: c.req.path }, "a request failed");
    return problem(c, { status: 500, code: "internal_error", detail: "Something failed on our side." });
  };
}
