import type { Logger } from "@hookline/core";
import type { Context, MiddlewareHandler } from "hono";
import type { RateLimiter } from "../storage/rate-limiter.js";
import { problem } from "./problem.js";
import { setHeader } from "./set-header.js";

export interface RateLimitOptions {
  readonly limiter: RateLimiter;
  readonly policy: string;
  readonly addressOf: (c: Context) => string;
  readonly isExempt: (c: Context) => boolean;
  readonly logger: Logger;
}

/**
 * Counts requests per address. A limiter that can't count refuses.
 *
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
 */
export function rateLimit({ limiter, policy, addressOf, isExempt, logger }: RateLimitOptions): MiddlewareHandler {
  return async (c, next) => {
    if (isExempt(c)) return next();
    let limit: Awaited<ReturnType<RateLimiter["consume"]>>;
    try {
      limit = await limiter.consume(addressOf(c));
    } catch (error) {
      logger.error({ err: error }, "the rate limit can't be counted");
      return problem(c, { status: 503, code: "unavailable", detail: "Please try again in a moment." });
    }
    const resetSeconds = Math.max(1, Math.ceil(limit.resetMs / 1000));
    if (limit.allowed) await next();
    // Afterwards, since a route may answer with a response of its own making.
    setHeader(c, "ratelimit-policy", `"${policy}";q=${limiter.max};w=${limiter.windowSeconds}`);
    setHeader(c, "ratelimit", `"${policy}";r=${limit.remaining};t=${resetSeconds}`);
    if (limit.allowed) return undefined;
    c.header("retry-after", String(resetSeconds));
    return problem(c, {
      status: 429,
      code: "rate_limited",
      detail: `At most ${limiter.max} requests in ${limiter.windowSeconds} seconds. Try again in ${resetSeconds} seconds.`,
    });
  };
}
