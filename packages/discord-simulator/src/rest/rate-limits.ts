import { createHash } from "node:crypto";

/** Limits what an application asks of REST. The limits of single routes are the simulator's own: Discord names none. */
export interface RateLimits {
  /** Counts a request. Null: it may pass. */
  take(request: LimitedRequest): Limited | null;
  /** What the answer to a request tells of the limit that it fell under. */
  headers(request: LimitedRequest): Readonly<Record<string, string>>;
  /** Counts an answer of 401, 403, or 429 for a limit that is not shared. */
  countInvalid(): void;
  state(): RestState;
}

export interface LimitedRequest {
  readonly method: string;
  /** Without `/api/v10` and the query. */
  readonly path: string;
  readonly authorization: string | undefined;
}

/** Why a request is not let through. */
export interface Limited {
  readonly scope: "user" | "global" | "banned";
  readonly retryAfterSeconds: number;
}

export interface RestState {
  /** Answers of 401, 403 and 429 within the last ten minutes. */
  readonly invalidRequests: number;
  /** ISO 8601; null unless the address is banned. */
  readonly bannedUntil: string | null;
}

/** Discord's own figures, which a test may want lower. */
export interface RateLimitRules {
  /** Requests of one bot in a second. Default 50. */
  readonly globalPerSecond?: number;
  /** So many answers of 401, 403 and 429 within ten minutes ban the address. Default 10,000. */
  readonly invalidRequests?: number;
}

const RULE_DEFAULTS = { globalPerSecond: 50, invalidRequests: 10_000 } as const satisfies RateLimitRules;

interface RouteLimit {
  readonly name: string;
  readonly fits: RegExp;
  readonly limit: number;
  readonly windowMs: number;
}

/** The first one that fits counts. */
const ROUTES: readonly RouteLimit[] = [
  { name: "post-message", fits: /^POST \/channels\/\d+\/messages$/, limit: 5, windowMs: 5_000 },
  { name: "edit-message", fits: /^PATCH \/channels\/\d+\/messages\/\d+$/, limit: 5, windowMs: 5_000 },
  { name: "reactions", fits: /^(PUT|DELETE) \/channels\/\d+\/messages\/\d+\/reactions\//, limit: 4, windowMs: 1_000 },
  { name: "webhook", fits: /^(POST|PATCH|DELETE) \/webhooks\/\d+\/[^/]+/, limit: 5, windowMs: 2_000 },
  { name: "member-role", fits: /^(PUT|DELETE) \/guilds\/\d+\/members\/\d+\/roles\/\d+$/, limit: 10, windowMs: 10_000 },
  { name: "commands", fits: /^\w+ \/applications\/\d+\/(guilds\/\d+\/)?commands/, limit: 20, windowMs: 5_000 },
  { name: "other", fits: /./, limit: 50, windowMs: 1_000 },
];

/** Interactions are answered at any rate. */
const UNLIMITED = /^POST \/interactions\//;

const SECOND_MS = 1_000;
const BAN_MS = 600_000;
/** More of them are looked through for those that are over. */
const KEPT_WINDOWS = 5_000;

interface Window {
  readonly endsAtMs: number;
  used: number;
}

/** `rules` false: nothing is limited, and what is not liked is only counted. */
export function createRateLimits(now: () => number, rules: RateLimitRules | false): RateLimits {
  const { globalPerSecond, invalidRequests } = { ...RULE_DEFAULTS, ...rules };
  const windows = new Map<string, Window>();
  const invalidAtMs: number[] = [];
  let bannedUntilMs = 0;

  function windowOf(key: string, windowMs: number): Window {
    const known = windows.get(key);
    if (known && now() < known.endsAtMs) {
      return known;
    }
    if (windows.size >= KEPT_WINDOWS) {
      for (const [old, { endsAtMs }] of windows) {
        if (endsAtMs <= now()) {
          windows.delete(old);
        }
      }
    }
    const begun = { endsAtMs: now() + windowMs, used: 0 };
    windows.set(key, begun);
    return begun;
  }

  function bucketOf({ method, path, authorization = "" }: LimitedRequest) {
    const asked = `${method} ${path}`;
    const route = ROUTES.find(({ fits }) => fits.test(asked));
    if (rules === false || !route || UNLIMITED.test(asked)) {
      return null;
    }
    return { route, window: windowOf(`${route.name} ${resourceOf(path)} ${authorization}`, route.windowMs) };
  }

  const secondsLeft = ({ endsAtMs }: Window) => Math.max(1, endsAtMs - now()) / 1_000;

  function pruneInvalid(): void {
    while (invalidAtMs[0] !== undefined && invalidAtMs[0] + BAN_MS <= now()) {
      invalidAtMs.shift();
    }
  }

  return {
    take(request) {
      const bucket = bucketOf(request);
      if (!bucket) {
        return null;
      }
      if (now() < bannedUntilMs) {
        return { scope: "banned", retryAfterSeconds: (bannedUntilMs - now()) / 1_000 };
      }
      // What carries a token in its path is not the bot's.
      if (request.authorization !== undefined) {
        const all = windowOf(`all ${request.authorization}`, SECOND_MS);
        if (all.used >= globalPerSecond) {
          return { scope: "global", retryAfterSeconds: secondsLeft(all) };
        }
        all.used += 1;
      }
      if (bucket.window.used >= bucket.route.limit) {
        return { scope: "user", retryAfterSeconds: secondsLeft(bucket.window) };
      }
      bucket.window.used += 1;
      return null;
    },

    headers(request) {
      const bucket = bucketOf(request);
      if (!bucket) {
        return {};
      }
      const { route, window } = bucket;
      return {
        "x-ratelimit-limit": String(route.limit),
        "x-ratelimit-remaining": String(Math.max(0, route.limit - window.used)),
        "x-ratelimit-reset": (window.endsAtMs / 1_000).toFixed(3),
        "x-ratelimit-reset-after": secondsLeft(window).toFixed(3),
        "x-ratelimit-bucket": createHash("md5").update(route.name).digest("hex"),
      };
    },

    countInvalid() {
      pruneInvalid();
      invalidAtMs.push(now());
      if (rules !== false && invalidAtMs.length >= invalidRequests && now() >= bannedUntilMs) {
        bannedUntilMs = now() + BAN_MS;
      }
    },

    state() {
      pruneInvalid();
      const bannedUntil = now() < bannedUntilMs ? new Date(bannedUntilMs).toISOString() : null;
      return { invalidRequests: invalidAtMs.length, bannedUntil };
    },
  };
}

/** What limits are kept apart by: the channel, the guild, the webhook with its token. */
function resourceOf(path: string): string {
  return /^\/(?:channels\/\d+|guilds\/\d+|webhooks\/\d+(?:\/[^/]+)?)/.exec(path)?.[0] ?? "";
}
