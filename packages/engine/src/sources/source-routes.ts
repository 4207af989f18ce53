import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { DEFAULTS } from "../defaults.js";
import type { Engine } from "../engine.js";
import { problem, problemResponses } from "../http/problem.js";
import { createAddressReader, type RemoteAddressOptions } from "../http/remote-address.js";
import { createRouter } from "../http/router.js";
import { createRateLimiter, type RateLimiterOptions } from "../storage/rate-limiter.js";
import { type CheckedSource, SOURCE_METHODS } from "./check-source.js";
import { type CallLimit, createSourceHandler, NO_SOURCE } from "./source-handler.js";
import { createStrayRecorder, type OwnerOf } from "./stray-requests.js";

/** Each source of the code at its path, and those that tenants have made at `/automation/<id>/<endpoint>`. */
export function createSourceRoutes(engine: Engine, options: RemoteAddressOptions): OpenAPIHono {
  const router = createRouter();
  const handlerOf = createSourceHandler(engine, options);
  const { store, sources } = engine.parts;
  const createLimit = (limit: RateLimiterOptions): CallLimit => ({
    limiter: createRateLimiter(store, limit),
    isFirst: createWindowMemory(limit.windowSeconds * 1000, () => store.clock.now()),
  });

  const recordStray = createStrayRecorder(sources.log, { ...options, now: () => store.clock.now() });
  /** Stands behind a path's handlers: nothing but what they do not take comes here. */
  const recordWrongMethod =
    (ownerOf: (id: string) => ReturnType<OwnerOf>): MiddlewareHandler =>
    async (c, next) => {
      const { id = "" } = c.req.param() as Partial<Record<string, string>>;
      await next();
      if (c.res.status === 405) await recordStray(c, "method_not_allowed", () => ownerOf(id));
    };

  for (const source of sources.list) {
    const limit = createLimit({ name: `source:${source.id}`, ...source.rateLimit });
    router.on(source.method, source.path, handlerOf(source, limit));
    describe(router, source);
  }
  for (const source of new Map(sources.list.map((one) => [one.path, one])).values()) {
    router.use(
      source.path,
      recordWrongMethod(async () => source),
    );
  }

  // Counted in one place whatever the limit is, so that one that is changed begins with what was counted.
  const storedLimits = new Map<number, CallLimit>();
  const storedLimit = ({ max, windowSeconds }: CheckedSource["rateLimit"]): CallLimit => {
    const limit = storedLimits.get(max) ?? createLimit({ name: "stored-source", max, windowSeconds });
    storedLimits.set(max, limit);
    return limit;
  };
  const storedOwner: (id: string) => ReturnType<OwnerOf> = async (id) =>
    STORED_ID.test(id) ? sources.stored.ownerOf(id) : null;
  const addressOf = createAddressReader(options);
  const misses = createMissLimit(DEFAULTS.source.rateLimit, () => store.clock.now());
  // Who sends to many and has one that is deleted goes on with the others.
  const found = new Set<string>();
  router.on([...SOURCE_METHODS], STORED_PATH, async (c, next) => {
    const { id = "", endpoint = "" } = c.req.param() as Partial<Record<string, string>>;
    const refuseUnknown = async () => {
      await recordStray(c, "unknown_endpoint", () => storedOwner(id));
      return problem(c, { ...NO_SOURCE, code: "source_not_found" });
    };
    if (!STORED_ID.test(id)) return refuseUnknown();
    const address = addressOf(c);
    const waitMs = found.has(id) ? 0 : misses.waitMs(address);
    if (waitMs > 0) {
      c.header("retry-after", String(Math.ceil(waitMs / 1000)));
      const detail = "Too many requests for sources that do not exist.";
      return problem(c, { status: 429, code: "rate_limited", detail });
    }
    const source = await sources.stored.find({ id, endpoint });
    if (source === null) {
      found.delete(id);
      misses.count(address);
      return refuseUnknown();
    }
    if (found.size >= MAX_REMEMBERED_SOURCES) found.clear();
    found.add(id);
    if (source.method !== c.req.method) {
      await recordStray(c, "method_not_allowed", async () => source);
      c.header("allow", source.method);
      return problem(c, {
        status: 405,
        code: "method_not_allowed",
        detail: `This path takes ${source.method}.`,
      });
    }
    return handlerOf(source, storedLimit(source.rateLimit))(c, next);
  });
  router.use(STORED_PATH, recordWrongMethod(storedOwner));
  describeStored(router);
  return router;
}

const STORED_PATH = "/automation/:id/:endpoint";
const STORED_ID = /^src_[0-9a-z]{1,64}$/;
const MAX_REMEMBERED_ADDRESSES = 10_000;
const MAX_REMEMBERED_SOURCES = 10_000;

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

/**
 * Ends guessing: each guess is a query. Counted in this process alone, since a count elsewhere would be a query too; a
 * source that exists has a limit of its own.
 */
function createMissLimit({ max, windowSeconds }: { max: number; windowSeconds: number }, now: () => number) {
  const windows = new Map<string, { count: number; readonly endsAtMs: number }>();
  const windowOf = (address: string) => {
    const known = windows.get(address);
    return known !== undefined && known.endsAtMs > now() ? known : null;
  };
  return {
    /** 0: it may ask. */
    waitMs(address: string): number {
      const window = windowOf(address);
      return window === null || window.count < max ? 0 : window.endsAtMs - now();
    },
    count(address: string): void {
      const window = windowOf(address);
      if (window !== null) {
        window.count += 1;
        return;
      }
      if (windows.size >= MAX_REMEMBERED_ADDRESSES) windows.clear();
      windows.set(address, { count: 1, endsAtMs: now() + windowSeconds * 1000 });
    },
  };
}

const received = {
  tags: ["Sources"],
  request: { body: { required: true, content: { "application/json": { schema: { type: "object" as const } } } } },
};
const accepted = { 200: { description: "It was accepted: `status` and `executionId`." } };
const refused = {
  400: "The body is not JSON, or does not have the form asked for.",
  413: "The body is too large.",
  422: "An event was refused for what it is.",
  429: "Too many requests from this address.",
};
const unauthorized = { 401: "The bearer token or the signature does not fit." };
const forbidden = { 403: "This address may not call." };
const replayed = { 409: "This very request was accepted before." };

function describe(
  router: OpenAPIHono,
  { id, method, path, acceptsBearer, signatures, allowsAddress }: CheckedSource,
): void {
  router.openAPIRegistry.registerPath({
    ...received,
    method: method.toLowerCase() as Lowercase<CheckedSource["method"]>,
    path,
    summary: `Receive webhooks of ${id}`,
    responses: {
      ...accepted,
      ...problemResponses({
        ...refused,
        ...(acceptsBearer || signatures.length > 0 ? unauthorized : {}),
        ...(allowsAddress ? forbidden : {}),
        ...(signatures.length > 0 ? replayed : {}),
      }),
    },
  });
}

function describeStored(router: OpenAPIHono): void {
  for (const method of SOURCE_METHODS) {
    router.openAPIRegistry.registerPath({
      ...received,
      method: method.toLowerCase() as Lowercase<CheckedSource["method"]>,
      path: "/automation/{id}/{endpoint}",
      summary: "Receive a webhook at a source that a tenant has made; the source says with which method",
      request: { ...received.request, params: z.object({ id: z.string(), endpoint: z.string() }) },
      responses: {
        ...accepted,
        ...problemResponses({
          ...refused,
          ...unauthorized,
          ...forbidden,
          ...replayed,
          404: "There is no such source, or it is not active.",
          405: "The source takes another method.",
        }),
      },
    });
  }
}
