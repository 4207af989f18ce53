import { OpenAPIHono, z } from "@hono/zod-openapi";
import { type Problem, problemResponse } from "@hookline/core";
import type { HonoRequest } from "hono";
import { createMiddleware } from "hono/factory";
import { HTTPException } from "hono/http-exception";
import { DispatcherError, type DispatcherErrorCode, isDispatcherError } from "../errors.js";

/** Whose endpoints and deliveries a request may see; null answers 401, a response is answered as it is. */
export type Authenticate = (request: Request) => Caller | Promise<Caller>;

type Caller = { readonly tenantId: string } | Response | null;

export interface TenantEnv {
  Variables: { tenantId: string };
}

const STATUS: Partial<Record<DispatcherErrorCode, number>> = {
  name_taken: 409,
  secret_unchanged: 409,
  delivery_in_flight: 409,
  endpoint_disabled: 409,
  endpoint_unverified: 409,
  endpoint_unreadable: 409,
  deadline_passed: 409,
  payload_expunged: 409,
  endpoint_not_found: 404,
  event_not_found: 404,
  recovery_not_found: 404,
  delivery_not_found: 404,
};

/** A router whose refusals are problem details, behind `authenticate`. */
export function createRouter(authenticate: Authenticate): OpenAPIHono<TenantEnv> {
  if (typeof authenticate !== "function") {
    throw new DispatcherError("invalid_options", "webhookRoutes: authenticate is a function.", {
      issues: [{ path: "authenticate", message: "is a function" }],
    });
  }
  const router = new OpenAPIHono<TenantEnv>({
    defaultHook: (result) => {
      if (result.success) return undefined;
      const place = result.target === "json" ? "body" : result.target;
      const errors = result.error.issues.flatMap((issue) => {
        const pointer = `/${[place, ...issue.path.map(String)].join("/")}`;
        if (issue.code !== "unrecognized_keys") return [{ pointer, message: issue.message }];
        return issue.keys.map((key) => ({ pointer: `${pointer}/${key}`, message: "is not known" }));
      });
      const detail = "The request does not have the form that this route asks for.";
      return problemResponse({ status: 400, code: "validation_failed", detail, errors });
    },
  });
  // What the routes name; an app whose `authenticate` reads something else may declare it anew.
  router.openAPIRegistry.registerComponent("securitySchemes", "apiKey", { type: "http", scheme: "bearer" });
  router.onError(async (error, { req }) => {
    if (isDispatcherError(error)) return problemResponse(problemOf(error, await pointersFor(req)));
    // What failed on our side is for whoever mounted these routes, who logs it.
    if (!(error instanceof HTTPException) || error.status >= 500) throw error;
    if (error.res !== undefined) return error.getResponse();
    const { status, message } = error;
    if (status === 400 && /json/i.test(message)) {
      return problemResponse({ status, code: "invalid_json", detail: "The body is not JSON." });
    }
    return problemResponse({ status, code: "bad_request", detail: message || "The request cannot be read." });
  });
  const authenticated = createMiddleware<TenantEnv>(async (c, next) => {
    const caller = await authenticate(c.req.raw);
    if (caller instanceof Response) return caller;
    // A look-up that finds nobody may answer undefined.
    if (caller === null || caller === undefined) {
      return problemResponse({ status: 401, code: "unauthorized", detail: "This route needs valid credentials." });
    }
    if (typeof caller.tenantId !== "string" || caller.tenantId === "") {
      throw new TypeError("webhookRoutes: authenticate answered a caller without a tenantId.");
    }
    c.set("tenantId", caller.tenantId);
    return next();
  });
  for (const path of [
    "/v1/endpoints",
    "/v1/event-types",
    "/v1/deliveries",
    "/v1/recoveries",
    "/v1/webhooks",
    "/v1/rest-hooks",
  ]) {
    router.use(path, authenticated);
    router.use(`${path}/*`, authenticated);
  }
  // Not the list of events, which is the engine's.
  router.use("/v1/events/:eventId", authenticated);
  router.use("/v1/events/:eventId/expunge", authenticated);
  return router;
}

/** Where a field at fault is in a body. A webhook's URL, headers and so on lie beside the other fields, not below `target`. */
async function pointersFor(request: HonoRequest): Promise<(path: string) => string> {
  const body: unknown = await request.json().catch(() => null);
  const hasTarget = Object.hasOwn(Object(body), "target");
  return (path) => `/body/${(hasTarget ? path : path.replace(/^target\./, "")).replaceAll(".", "/")}`;
}

function problemOf({ code, message, issues }: DispatcherError, pointerOf: (path: string) => string): Problem {
  const errors = issues.map(({ path, message }) => ({ pointer: pointerOf(path), message }));
  return { status: STATUS[code] ?? 400, code, detail: message, ...(errors.length === 0 ? {} : { errors }) };
}

/** An id of anything, such as `ep_…`; event ids may be the publisher's own. */
export const id = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/);

const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    code: z.string(),
    detail: z.string(),
    errors: z.array(z.object({ pointer: z.string(), message: z.string() })).optional(),
  })
  .openapi("Problem", { description: "An error as problem details (RFC 9457)." });

export const refusals = {
  400: {
    description: "The request is not of this form.",
    content: { "application/problem+json": { schema: problemSchema } },
  },
  401: { description: "No valid credentials.", content: { "application/problem+json": { schema: problemSchema } } },
};
export const notFound = {
  404: { description: "There is no such thing.", content: { "application/problem+json": { schema: problemSchema } } },
};
export const conflict = {
  409: {
    description: "Its state does not allow that.",
    content: { "application/problem+json": { schema: problemSchema } },
  },
};

export const json = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  description,
  content: { "application/json": { schema } },
});

/** The same object without its undefined entries. */
export function present<T extends object>(object: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as never;
}
