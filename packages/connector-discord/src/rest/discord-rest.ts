import type { Clock } from "@hookline/core";
import { DiscordConnectorError } from "../errors.js";

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
}

export interface DiscordRest {
  /**
   * Answers the parsed body, or null for none. A 429 that asks for a short wait is tried once more.
   *
   * Throws `api_error`, `rate_limited` and `api_unreachable`.
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
}

export const REST_DEFAULTS = {
  restBaseUrl: "https://discord.com/api/v10",
  requestTimeoutMs: 10_000,
  /** A 429 that asks for more is handed to the caller. */
  longestRateLimitWaitMs: 3_000,
} as const satisfies Record<string, string | number>;

/** Discord wants to know who calls. */
export const USER_AGENT = "DiscordBot (https://github.com/hookline/hookline, 0)";

export function createDiscordRest(options: DiscordRestOptions): DiscordRest {
  const { restBaseUrl, botToken, clock } = options;

  async function once(request: RestRequest): Promise<unknown> {
    const response = await send(request);
    const text = await readText(request, response);
    const body = parseJson(text);
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
      try {
        return await once(request);
      } catch (error) {
        if (!(error instanceof DiscordConnectorError) || error.code !== "rate_limited") throw error;
        const waitMs = error.retryAfterMs ?? Number.POSITIVE_INFINITY;
        if (waitMs > REST_DEFAULTS.longestRateLimitWaitMs) throw error;
        await wait(clock, waitMs, request.signal);
        return once(request);
      }
    },
    botAuthorization() {
      if (botToken !== undefined) return `Bot ${botToken}`;
      throw new DiscordConnectorError("bot_token_missing", "This needs a bot token: give `botToken`.");
    },
  };
}

/** Waits by the clock; rejects when the signal ends first. */
export function wait(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.setTimer(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, delayMs);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener("abort", onAbort, { once: true });
  });
}

async function readText(request: RestRequest, response: Response): Promise<string> {
  try {
    return await response.text();
  } catch (cause) {
    throw unreachable(request, cause);
  }
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
  return new DiscordConnectorError("api_unreachable", `No answer from Discord to ${request.method} ${path}.`, {
    method: request.method,
    path,
    cause,
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

/** Discord's own code and sentence, where the body has them. */
export function describeApiError(body: unknown): { readonly code?: number; readonly message?: string } {
  if (typeof body !== "object" || body === null) return {};
  const { code, message } = body as { readonly code?: unknown; readonly message?: unknown };
  return {
    ...(typeof code === "number" ? { code } : {}),
    ...(typeof message === "string" ? { message: message.slice(0, 300) } : {}),
  };
}

/** The longer of the body's `retry_after` and the header, both in seconds; one second where neither is a number. */
export function retryAfterMs(body: unknown, header: string | null | undefined): number {
  const inBody =
    typeof body === "object" && body !== null ? (body as { retry_after?: unknown }).retry_after : undefined;
  const seconds = [
    inBody,
    header === null || header === undefined || header === "" ? undefined : Number(header),
  ].filter((value): value is number => typeof value === "number" && Number.isFinite(value) && value >= 0);
  return seconds.length === 0 ? 1_000 : Math.ceil(Math.max(...seconds) * 1_000);
}
