import { problemResponse } from "@hookline/core";
import type { Context, MiddlewareHandler } from "hono";
import { every } from "hono/combine";
import { bearerOf } from "../access/bearer.js";
import type { Engine } from "../engine.js";
import { limitBody } from "../http/limit-body.js";
import { problem } from "../http/problem.js";
import { rateLimit } from "../http/rate-limit.js";
import { createAddressReader, createRemoteAddress, type RemoteAddressOptions } from "../http/remote-address.js";
import type { RateLimiter } from "../storage/rate-limiter.js";
import type { CheckedSource } from "./check-source.js";
import type { RefusalReason } from "./source-log.js";

/** How often an address may call a source; one limit can serve several sources. */
export interface CallLimit {
  readonly limiter: RateLimiter;
  /** True for the first call over the limit in each window, so that a flood does not become a flood of records. */
  readonly isFirst: (key: string) => boolean;
}

/** What a request for a source goes through: rate limit, address, bearer, size of the body, and what `receive` checks. */
export type SourceHandler = (source: CheckedSource, limit: CallLimit) => MiddlewareHandler;

/** Refuses in the name of a source: recorded first, then answered. */
type Refuse = (c: Context, reason: RefusalReason, answer: { status: number; detail: string }) => Promise<Response>;

export const NO_SOURCE = { status: 404, detail: "There is no such source." } as const;

/** @throws EngineError `invalid_options` */
export function createSourceHandler(engine: Engine, options: RemoteAddressOptions): SourceHandler {
  const addressOf = createAddressReader(options);
  const remoteAddress = createRemoteAddress(options);
  const { store, sources } = engine.parts;

  return (source, { limiter, isFirst }) => {
    const callerOf = (c: Context) => `${source.id} ${addressOf(c)}`;
    const record = (c: Context, reason: RefusalReason) =>
      sources.log.writeRefusal(source, { reason, address: remoteAddress(c)?.toString() ?? "unknown" });
    const refuse: Refuse = async (c, reason, { status, detail }) => {
      await record(c, reason);
      return problem(c, { status, code: reason, detail });
    };

    const recordLimits: MiddlewareHandler = async (c, next) => {
      await next();
      if (c.res.status === 413) await record(c, "body_too_large");
      if (c.res.status === 429 && isFirst(callerOf(c))) await record(c, "rate_limited");
    };
    const checkCaller: MiddlewareHandler = async (c, next) => {
      // To its callers it is not there.
      if (!source.active) {
        await record(c, "inactive");
        return problem(c, { ...NO_SOURCE, code: "source_not_found" });
      }
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

    return every(
      recordLimits,
      rateLimit({
        limiter,
        policy: source.policy,
        addressOf: callerOf,
        isExempt: () => false,
        logger: store.logger,
      }),
      checkCaller,
      limitBody(source.maxBodyBytes),
      async (c: Context) => {
        const body = new Uint8Array(await c.req.raw.arrayBuffer());
        const received = await sources.receive(source, { body, headers: c.req.raw.headers });
        if (received.kind === "accepted") return c.json({ status: "success", executionId: received.executionId });
        if (received.kind === "failed") return problemResponse(received.problem);
        const status = received.reason === "replayed" ? 409 : 401;
        return refuse(c, received.reason, { status, detail: received.detail });
      },
    );
  };
}
