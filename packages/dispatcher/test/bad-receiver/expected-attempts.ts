import type { Attempt } from "../../src/index.js";

type Logged = Partial<Pick<Attempt, "status" | "errorCode" | "responseBody">> & Pick<Attempt, "outcome">;

/** What the first attempt at a path has to say, and when it ends. */
export interface ExpectedAttempt {
  readonly logged: Logged;
  /** By itself, or not before the time limit. */
  readonly ends: "by itself" | "at the limit";
}

const now = (logged: Logged): ExpectedAttempt => ({ logged, ends: "by itself" });
const atLimit = (logged: Logged): ExpectedAttempt => ({ logged, ends: "at the limit" });

const delivered = { outcome: "delivered", errorCode: null } as const;
const failed = (errorCode: Attempt["errorCode"], status: number | null = null): Logged => ({
  outcome: "retry",
  errorCode,
  status,
});
const answered = (status: number, responseBody?: string | null): Logged => ({
  ...failed("http_status", status),
  ...(responseBody === undefined ? {} : { responseBody }),
});

const UNREADABLE = now(failed("invalid_response"));
const RESET = now(failed("connection_reset"));
const REDIRECT = (status: number) => now(failed("redirect", status));

/** By the paths of behaviours.mjs. */
export const EXPECTED: Readonly<Record<string, ExpectedAttempt>> = {
  "never-answers": atLimit(failed("timeout")),
  "drips-the-head": atLimit(failed("timeout")),
  "stops-in-the-head": atLimit(failed("timeout")),
  "drips-the-body": atLimit({ ...delivered, status: 200 }),
  "stops-in-the-body": atLimit(answered(500, "begun")),

  "closes-at-once": RESET,
  resets: RESET,
  "resets-while-it-is-sent-to": RESET,
  "closes-before-the-body": RESET,
  "closes-in-the-head": RESET,
  "closes-after-the-head": now({ ...delivered, status: 200, responseBody: null }),
  "closes-in-the-body": now(answered(500, "begun")),
  "closes-in-a-chunk": now(answered(500, "begun")),
  "resets-in-the-body": now(answered(500, "begun")),

  "speaks-http-0.9": UNREADABLE,
  "speaks-http-2": UNREADABLE,
  "sends-a-preface": UNREADABLE,
  "asks-back": UNREADABLE,
  "speaks-smtp": UNREADABLE,
  "speaks-tls": UNREADABLE,
  "switches-protocols": UNREADABLE,

  "status-of-two-digits": UNREADABLE,
  "status-of-four-digits": UNREADABLE,
  "status-999": now(answered(999)),
  "version-9": UNREADABLE,
  "header-without-colon": UNREADABLE,
  "header-with-blank": UNREADABLE,
  "header-with-nul": UNREADABLE,
  "header-folded": UNREADABLE,
  "header-of-a-prototype": now({ ...delivered, status: 200, responseBody: "ok" }),
  "header-too-long": UNREADABLE,
  "endless-headers": UNREADABLE,
  "endless-header": UNREADABLE,
  "endless-reason": atLimit(failed("timeout")),
  "endless-blank-lines": atLimit(failed("timeout")),

  "continues-unasked": UNREADABLE,
  "hints-early": now({ ...delivered, status: 204 }),
  "endless-100": UNREADABLE,
  "endless-102": UNREADABLE,
  "endless-103": UNREADABLE,

  "shorter-than-its-body": now({ ...delivered, status: 200, responseBody: "ok" }),
  "length-below-zero": UNREADABLE,
  "length-no-number": UNREADABLE,
  "two-lengths": UNREADABLE,
  "length-and-chunks": UNREADABLE,
  "no-content-with-a-body": now({ ...delivered, status: 204, responseBody: null }),
  "chunk-of-no-size": now(answered(500)),
  "chunk-beyond-all-sizes": now(answered(500)),

  "endless-body": now({ ...delivered, status: 200 }),
  "endless-chunks": now({ ...delivered, status: 200 }),
  "endless-chunk-extension": atLimit({ ...delivered, status: 200, responseBody: null }),
  "endless-trailers": now({ ...delivered, status: 200, responseBody: null }),
  "many-small-chunks": atLimit(answered(500)),

  "gzip-bomb": now(answered(500)),
  "deflate-bomb": now(answered(500)),
  "brotli-bomb": now(answered(500)),
  "gzip-in-gzip": now(answered(500)),
  "gzip-a-hundred-times": now(answered(500)),
  "gzip-that-is-cut": now(answered(500)),
  "gzip-that-is-none": now({ ...delivered, status: 200 }),
  "brotli-that-is-gzip": now(answered(500)),
  "packed-as-nobody-does": now(answered(500, "uryyb")),
  "packed-without-a-body": now({ ...delivered, status: 204, responseBody: null }),

  "redirects-to-itself": REDIRECT(302),
  "redirects-to-the-metadata": REDIRECT(307),
  "redirects-nowhere": REDIRECT(301),
  "redirects-within": REDIRECT(308),

  "retry-after-for-ever": now(answered(503)),
  "retry-after-year-9999": now(answered(429)),
  "retry-after-the-past": now(answered(503)),
  "retry-after-below-zero": now(answered(503)),
  "retry-after-no-number": now(answered(503)),

  "no-utf-8": now(answered(500)),
  "half-a-character": now(answered(500)),
  "header-no-utf-8": now(answered(500, null)),
};
