import { type Clock, type Logger, silentLogger, systemClock } from "@hookline/core";
import { assertOption } from "../options.js";
import { retryAfterMs } from "./api-answer.js";
import { createInvalidRequests } from "./invalid-requests.js";
import { createRateLimitBucket, type RateLimitBucket, type ToldLimit } from "./rate-limit-bucket.js";
import { type LimitedRequest, routeOf } from "./rest-route.js";

/**
 * Keeps all requests of a process within Discord's limits: the one of each route, which Discord's answers tell, the
 * global one of each bot, and the number of refusals after which Discord bans the address.
 */
export interface DiscordRateLimits {
  /** Waits for a place, at most so long. Rejects when the signal ends. */
  take(request: LimitedRequest & { readonly id: string }, wait: RateLimitWait): Promise<RateLimitPlace>;
  /** Tells of the answer to a request that had a place; null when none came. */
  settle(request: LimitedRequest & { readonly id: string }, answer: RestAnswer | null): void;
}

export interface RateLimitWait {
  readonly maxWaitMs: number;
  readonly signal?: AbortSignal | undefined;
}

export type RateLimitPlace =
  | { readonly ok: true }
  /** No place within the time; in `waitMs` there may be one. */
  | { readonly ok: false; readonly reason: "rate_limited" | "too_many_invalid_requests"; readonly waitMs: number };

export interface RestAnswer {
  readonly status: number;
  /** By a name in lower case. */
  readonly header: (name: string) => string | null | undefined;
  /** Parsed. */
  readonly body: unknown;
}

export interface DiscordRateLimitsOptions {
  /** What all requests of one bot may come to in a second. Default 50, as Discord has it for most. */
  readonly globalPerSecond?: number;
  /**
   * After so many answers of 401, 403 and 429 within ten minutes nothing more is sent until fewer are left. Default
   * 9,000; at 10,000 Discord bans the address, which other processes may share.
   */
  readonly maxInvalidRequests?: number;
  readonly clock?: Clock;
  /** Says when requests are stopped for the refusals that there were. */
  readonly logger?: Logger;
}

export const RATE_LIMIT_DEFAULTS = {
  globalPerSecond: 50,
  maxInvalidRequests: 9_000,
} as const satisfies DiscordRateLimitsOptions;

/** What one Authorization header may do. */
interface Caller {
  readonly sentAtMs: number[];
  blockedUntilMs: number;
}

/** More of them are looked through for those that nobody uses. */
const KEPT_BUCKETS = 5_000;
const SECOND_MS = 1_000;

/**
 * Makes the limits of one process. Give the same object to the connector and to the destination.
 *
 * Kept in memory: several processes with one bot each learn the limits by themselves, and get a 429 now and then.
 *
 * @throws DiscordConnectorError `invalid_option`
 *
 * @see https://docs.discord.com/developers/topics/rate-limits
 * @example
 * const rateLimits = createDiscordRateLimits({ logger });
 * const connector = createDiscordConnector({ ...options, rateLimits });
 * const destination = discordDestination({ templates, componentSecret, botToken, rateLimits });
 */
export function createDiscordRateLimits(options: DiscordRateLimitsOptions = {}): DiscordRateLimits {
  const { clock = systemClock, logger = silentLogger } = options;
  const globalPerSecond = positive("globalPerSecond", options.globalPerSecond);
  const maxInvalidRequests = positive("maxInvalidRequests", options.maxInvalidRequests);
  const invalid = createInvalidRequests(clock, maxInvalidRequests);
  const buckets = new Map<string, RateLimitBucket>();
  const callers = new Map<string, Caller>();
  /** Discord's own names of the limits, by route. */
  const names = new Map<string, string>();
  let stopped = false;

  const bucketOf = (request: LimitedRequest): RateLimitBucket => {
    const { name, resource } = routeOf(request);
    const key = `${names.get(name) ?? name} ${resource} ${request.authorization ?? ""}`;
    const known = buckets.get(key);
    if (known !== undefined) return known;
    if (buckets.size >= KEPT_BUCKETS) forgetIdle();
    const bucket = createRateLimitBucket();
    buckets.set(key, bucket);
    return bucket;
  };

  const forgetIdle = (): void => {
    for (const [key, bucket] of buckets) if (bucket.isIdle(clock.now())) buckets.delete(key);
  };

  const callerOf = ({ authorization = "" }: LimitedRequest): Caller => {
    const caller = callers.get(authorization) ?? { sentAtMs: [], blockedUntilMs: 0 };
    callers.set(authorization, caller);
    return caller;
  };

  /** How long the caller has to wait for its own limit. What no Authorization tells of is limited by address alone. */
  const callerWaitMs = (request: LimitedRequest, caller: Caller, nowMs: number): number => {
    while ((caller.sentAtMs[0] ?? nowMs) + SECOND_MS <= nowMs) caller.sentAtMs.shift();
    if (nowMs < caller.blockedUntilMs) return caller.blockedUntilMs - nowMs;
    if (request.authorization === undefined || caller.sentAtMs.length < globalPerSecond) return 0;
    return (caller.sentAtMs[0] ?? nowMs) + SECOND_MS - nowMs;
  };

  const stoppedForMs = (): number | null => {
    const waitMs = invalid.stoppedForMs();
    if (waitMs !== null && !stopped) {
      logger.error(
        { maxInvalidRequests, waitMs },
        "requests to Discord are stopped: so many were refused that Discord would ban this address",
      );
    }
    if (waitMs === null && stopped) logger.info({}, "requests to Discord go on");
    stopped = waitMs !== null;
    return waitMs;
  };

  return {
    async take(request, { maxWaitMs, signal }) {
      const untilMs = clock.now() + maxWaitMs;
      for (;;) {
        signal?.throwIfAborted();
        const stopMs = stoppedForMs();
        if (stopMs !== null) return { ok: false, reason: "too_many_invalid_requests", waitMs: stopMs };
        const nowMs = clock.now();
        const caller = callerOf(request);
        const bucket = bucketOf(request);
        const waitMs = callerWaitMs(request, caller, nowMs) || bucket.take(request.id, nowMs);
        if (waitMs === 0) {
          if (request.authorization !== undefined) caller.sentAtMs.push(nowMs);
          return { ok: true };
        }
        if (nowMs + waitMs > untilMs) return { ok: false, reason: "rate_limited", waitMs: bucket.queue(waitMs) };
        await changeOf(bucket, { clock, waitMs, signal });
      }
    },

    settle(request, answer) {
      const nowMs = clock.now();
      const used = bucketOf(request);
      used.settle(request.id, null, nowMs);
      if (answer === null) return;
      const name = answer.header("x-ratelimit-bucket");
      if (name) names.set(routeOf(request).name, name);
      const bucket = bucketOf(request);
      bucket.settle(request.id, toldBy(answer), nowMs);
      const { status } = answer;
      const scope = answer.header("x-ratelimit-scope");
      if (status === 401 || status === 403 || (status === 429 && scope !== "shared")) invalid.add();
      if (status !== 429) return;
      const blockedUntilMs = nowMs + retryAfterMs(answer.body, answer.header("retry-after"));
      if (isOfCaller(answer)) {
        const caller = callerOf(request);
        caller.blockedUntilMs = Math.max(caller.blockedUntilMs, blockedUntilMs);
      } else {
        bucket.block(blockedUntilMs);
      }
    },
  };
}

/** Resolves when the time is over or the bucket has changed; rejects when the signal ends. */
function changeOf(
  bucket: RateLimitBucket,
  {
    clock,
    waitMs,
    signal,
  }: { readonly clock: Clock; readonly waitMs: number; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      cancelTimer();
      bucket.changed.delete(onChange);
      signal?.removeEventListener("abort", onAbort);
    };
    const onChange = () => {
      end();
      resolve();
    };
    const onAbort = () => {
      end();
      reject(signal?.reason);
    };
    const cancelTimer = clock.setTimer(onChange, waitMs);
    bucket.changed.add(onChange);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

function toldBy({ status, header }: RestAnswer): ToldLimit | "unlimited" | null {
  const [limit, remaining, resetAfter] = ["limit", "remaining", "reset-after"].map((name) => {
    const text = header(`x-ratelimit-${name}`);
    return text ? Number(text) : Number.NaN;
  }) as [number, number, number];
  if ([limit, remaining, resetAfter].every((value) => Number.isFinite(value) && value >= 0) && limit >= 1) {
    return { limit, remaining, resetAfterMs: Math.ceil(resetAfter * 1_000) };
  }
  return status >= 200 && status < 300 ? "unlimited" : null;
}

/** A limit of all that this caller sends: the global one, or Cloudflare's, whose answers have none of the headers. */
function isOfCaller({ header, body }: RestAnswer): boolean {
  const isGlobal = typeof body === "object" && body !== null && (body as { readonly global?: unknown }).global === true;
  return (
    isGlobal ||
    header("x-ratelimit-global") === "true" ||
    (!header("x-ratelimit-scope") && !header("x-ratelimit-limit") && !isToldByDiscord(body))
  );
}

/** Discord's own 429 has `retry_after`; the page of whatever stands before it has not. */
function isToldByDiscord(body: unknown): boolean {
  return typeof body === "object" && body !== null && "retry_after" in body;
}

function positive(name: keyof typeof RATE_LIMIT_DEFAULTS, value: number = RATE_LIMIT_DEFAULTS[name]): number {
  assertOption(Number.isInteger(value) && value >= 1, `${name} is a whole number from 1.`);
  return value;
}
