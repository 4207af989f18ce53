import type { OpenAPIHono } from "@hono/zod-openapi";
import { problemResponse } from "@hookline/core";
import type { Context, MiddlewareHandler } from "hono";
import { bearerOf } from "../access/bearer.js";
import type { Engine } from "../engine.js";
import { limitBody } from "../http/limit-body.js";
import { problem, problemResponses } from "../http/problem.js";
import { rateLimit } from "../http/rate-limit.js";
import { createAddressReader, createRemoteAddress, type RemoteAddressOptions } from "../http/remote-address.js";
import { createRouter } from "../http/router.js";
import { createRateLimiter } from "../storage/rate-limiter.js";
import type { CheckedSource } from "./check-source.js";
import type { RefusalReason } from "./source-log.js";

/** Refuses in the name of a source: recorded first, then answered. */
type Refuse = (c: Context, reason: RefusalReason, answer: { status: number; detail: string }) => Promise<Response>;

/** Each source at its path: rate limit, address, bearer, size of the body, and then what `receive` checks. */
export function createSourceRoutes(engine: Engine, options: RemoteAddressOptions): OpenAPIHono {
  const router = createRouter();
  const addressOf = createAddressReader(options);
  const remoteAddress = createRemoteAddress(options);
  const { store, sources } = engine.parts;

  for (const source of sources.list) {
    const address = (c: Context) => remoteAddress(c)?.toString() ?? "unknown";
    const refuse: Refuse = async (c, reason, { status, detail }) => {
      await sources.log.writeRefusal(source, { reason, address: address(c) });
      return problem(c, { status, code: reason, detail });
    };
    const limiter = createRateLimiter(store, { name: `source:${source.id}`, ...source.rateLimit });
    const isFirst = createWindowMemory(source.rateLimit.windowSeconds * 1000, () => store.clock.now());

    const recordLimits: MiddlewareHandler = async (c, next) => {
      await next();
      if (c.res.status === 413)
        await sources.log.writeRefusal(source, { reason: "body_too_large", address: address(c) });
      if (c.res.status === 429 && isFirst(addressOf(c))) {
        await sources.log.writeRefusal(source, { reason: "rate_limited", address: address(c) });
      }
    };
    const checkCaller: MiddlewareHandler = async (c, next) => {
      if (source.allowsAddress && !source.allowsAddress(remoteAddress(c))) {
        return refuse(c, "address_not_allowed", { status: 403, detail: "This address may not call this source." });
      }
      if (source.acceptsBearer) {
        const token = bearerOf(c.req.raw);
        if (token === null || !source.acceptsBearer(token)) {
          c.header("www-authenticate", "Bearer");
          return refuse(c, token === null ? "bearer_missing" : "bearer_mismatch", {
            status: 401,
            detail: "The token of this source is needed: Authorization: Bearer …",
          });
        }
      }
      return next();
    };

    router.on(
      source.method,
      source.path,
      recordLimits,
      rateLimit({ limiter, policy: source.id, addressOf, isExempt: () => false, logger: store.logger }),
      checkCaller,
      limitBody(source.maxBodyBytes),
      async (c) => {
        const body = new Uint8Array(await c.req.raw.arrayBuffer());
        const received = await sources.receive(source, { body, headers: c.req.raw.headers });
        if (received.kind === "accepted") return c.json({ status: "success", executionId: received.executionId });
        if (received.kind === "failed") return problemResponse(received.problem);
        const status = received.reason === "replayed" ? 409 : 401;
        return refuse(c, received.reason, { status, detail: received.detail });
      },
    );
    describe(router, source);
  }
  return router;
}

const MAX_REMEMBERED_ADDRESSES = 10_000;

/** True for the first call of an address in each window, so that a flood does not become a flood of records. */
function createWindowMemory(windowMs: number, now: () => number): (address: string) => boolean {
  const ends = new Map<string, number>();
  return (address) => {
    const nowMs = now();
    if ((ends.get(address) ?? 0) > nowMs) return false;
    if (ends.size >= MAX_REMEMBERED_ADDRESSES) ends.clear();
    ends.set(address, nowMs + windowMs);
    return true;
  };
}

function describe(
  router: OpenAPIHono,
  { id, method, path, acceptsBearer, signature, allowsAddress }: CheckedSource,
): void {
  router.openAPIRegistry.registerPath({
    method: method.toLowerCase() as "post" | "put" | "patch",
    path,
    tags: ["Sources"],
    summary: `Receive webhooks of ${id}`,
    request: { body: { required: true, content: { "application/json": { schema: { type: "object" } } } } },
    responses: {
      200: { description: "It was accepted: `status` and `executionId`." },
      ...problemResponses({
        400: "The body is not JSON, or does not have the form asked for.",
        ...(acceptsBearer || signature ? { 401: "The bearer token or the signature does not fit." } : {}),
        ...(allowsAddress ? { 403: "This address may not call." } : {}),
        ...(signature ? { 409: "This very request was accepted before." } : {}),
        413: "The body is too large.",
        422: "An event was refused for what it is.",
        429: "Too many requests from this address.",
      }),
    },
  });
}
