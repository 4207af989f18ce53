import { randomUUID } from "node:crypto";
import { type Clock, readText } from "@hookline/core";
import { DiscordConnectorError } from "../errors.js";
import { describeApiError, retryAfterMs } from "./api-answer.js";
import type { DiscordRateLimits, RateLimitPlace } from "./rate-limits.js";

/** One call of Discord's REST API. */
export interface RestRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below the base URL, such as `/users/@me`. */
  readonly path: string;
  /** What errors show instead of the path, where it holds a token. */
  readonly shownPath?: string;
  /** Sent as JSON; URLSearchParams as a form. */
  readonly body?: unknown;
  /** Absent: no Authorization header. */
  readonly authorization?: string | undefined;
  readonly signal?: AbortSignal;
  /** How long it may wait for the rate limits. `longestRateLimitWaitMs` when absent. */
  readonly maxWaitMs?: number;
}

export interface DiscordRest {
  /**
   * Waits for its turn by the rate limits, and answers the parsed body, or null for none. A 429 is tried once more, if
   * the time allows.
   *
   * Throws `api_error`, `rate_limited`, `too_many_invalid_requests` and `api_unreachable`.
   */
  request(request: RestRequest): Promise<unknown>;
  /** `Bot …`; throws `bot_token_missing` when there is none. */
  botAuthorization(): string;
}

export interface DiscordRestOptions {
  readonly restBaseUrl: string;
  readonly botToken: string | undefined;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly rateLimits: DiscordRateLimits;
}

export const REST_DEFAULTS = {
  restBaseUrl: "https://discord.com/api/v10",
  requestTimeoutMs: 10_000,
  /** What has to wait longer is handed to the caller. */
  longestRateLimitWaitMs: 3_000,
  /** After decompression. Discord's longest answers, such as a hundred messages, stay far below. */
  maxAnswerBytes: 8 * 1_024 * 1_024,
} as const satisfies Record<string, string | number>;

/** Discord wants to know who calls. */
export const USER_AGENT = "DiscordBot (https://github.com/hookline/hookline, 0)";

export function createDiscordRest(options: DiscordRestOptions): DiscordRest {
  const { restBaseUrl, botToken, clock, rateLimits } = options;

  async function once(request: RestRequest, maxWaitMs: number): Promise<unknown> {
    const limited = { ...request, id: randomUUID() };
    const place = await rateLimits.take(limited, { maxWaitMs, signal: request.signal });
    if (!place.ok) throw limitError(request, place);
    let response: Response;
    let body: unknown;
    try {
      response = await send(request);
      body = parseJson(await bodyOf(request, response));
    } catch (error) {
      rateLimits.settle(limited, null);
      throw error;
    }
    const { status, headers } = response;
    rateLimits.settle(limited, { status, header: (name) => headers.get(name), body });
    if (response.ok) return body;
    throw errorOf(request, response, body);
  }

  async function send(request: RestRequest): Promise<Response> {
    const timeout = AbortSignal.timeout(REST_DEFAULTS.requestTimeoutMs);
    const form = request.body instanceof URLSearchParams;
    const headers: Record<string, string> = { "user-agent": USER_AGENT, accept: "application/json" };
    if (request.authorization !== undefined) headers.authorization = request.authorization;
    if (request.body !== undefined && !form) headers["content-type"] = "application/json";
    const init: RequestInit = {
      method: request.method,
      headers,
      redirect: "manual",
      signal: request.signal === undefined ? timeout : AbortSignal.any([request.signal, timeout]),
    };
    if (request.body !== undefined) init.body = form ? (request.body as URLSearchParams) : JSON.stringify(request.body);
    try {
      return await options.fetch(`${restBaseUrl}${request.path}`, init);
    } catch (cause) {
      throw unreachable(request, cause);
    }
  }

  return {
    async request(request) {
      const untilMs = clock.now() + (request.maxWaitMs ?? REST_DEFAULTS.longestRateLimitWaitMs);
      try {
        return await once(request, untilMs - clock.now());
      } catch (error) {
        const isLimited =
          error instanceof DiscordConnectorError && error.code === "rate_limited" && error.status === 429;
        if (!isLimited || clock.now() + (error.retryAfterMs ?? 0) > untilMs) throw error;
        return once(request, untilMs - clock.now());
      }
    },
    botAuthorization() {
      if (botToken !== undefined) return `Bot ${botToken}`;
      throw new DiscordConnectorError("bot_token_missing", "This needs a bot token: give `botToken`.");
    },
  };
}

async function bodyOf(request: RestRequest, response: Response): Promise<string> {
  const { maxAnswerBytes: maxBytes } = REST_DEFAULTS;
  const { text, complete } = await readText(response, { maxBytes }).catch((cause: unknown) => {
    throw unreachable(request, cause);
  });
  if (!complete) throw unreachable(request, new Error(`The answer is longer than ${maxBytes} bytes.`));
  return text;
}

function parseJson(text: string): unknown {
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's HTML page: the status says enough.
    return null;
  }
}

function unreachable(request: RestRequest, cause: unknown): DiscordConnectorError {
  const path = request.shownPath ?? request.path;
  const text = `No answer from Discord to ${request.method} ${path}${whyOf(cause)}.`;
  return new DiscordConnectorError("api_unreachable", text, { method: request.method, path, cause });
}

/** What the network said, such as ENOTFOUND; nothing that could hold an address, whose path may hold a token. */
function whyOf(cause: unknown): string {
  let innermost = cause;
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause;
  const { code, message } = (innermost ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  if (typeof code === "string") return ` (${code})`;
  return typeof message === "string" && !message.includes("/") ? ` (${message.slice(0, 100).replace(/\.$/, "")})` : "";
}

function limitError(request: RestRequest, { reason, waitMs }: RateLimitPlace & { ok: false }): DiscordConnectorError {
  const path = request.shownPath ?? request.path;
  const why =
    reason === "rate_limited" ? "would exceed Discord's rate limits" : "is stopped: Discord refused too many requests";
  return new DiscordConnectorError(reason, `${request.method} ${path} ${why}; it may go out in ${waitMs} ms.`, {
    method: request.method,
    path,
    retryAfterMs: waitMs,
  });
}

function errorOf(request: RestRequest, response: Response, body: unknown): DiscordConnectorError {
  const path = request.shownPath ?? request.path;
  const { code, message } = describeApiError(body);
  const details = {
    status: response.status,
    ...(code === undefined ? {} : { discordCode: code }),
    method: request.method,
    path,
  };
  const said = message === undefined ? "" : `: ${message}`;
  const text = `Discord answered ${response.status} to ${request.method} ${path}${said}`;
  if (response.status !== 429) return new DiscordConnectorError("api_error", text, details);
  return new DiscordConnectorError("rate_limited", text, {
    ...details,
    retryAfterMs: retryAfterMs(body, response.headers.get("retry-after")),
  });
}
