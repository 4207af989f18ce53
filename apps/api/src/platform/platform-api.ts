import { type ReadText, readText } from "@hookline/core";
import { z } from "zod";

/** A webhook as the platform shows it. */
export interface PlatformWebhook {
  readonly id: string;
  readonly name: string | null;
  readonly url: string | null;
  readonly events: readonly string[];
  readonly active: boolean;
}

export interface PlatformDelivery {
  readonly event_type: string;
  /** Null while nothing was answered, 0 when nobody answered. */
  readonly response_status: number | null;
  readonly delivered_at: string | null;
  readonly created_at: string;
}

/** What the platform answered, or why there is no answer, in a sentence for people. */
export type PlatformAnswer<Value> =
  | { readonly ok: true; readonly value: Value }
  | {
      readonly ok: false;
      readonly reason: "unreachable" | "unauthorized" | "refused" | "not_understood";
      readonly message: string;
    };

export interface Registration {
  readonly name: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly secret: string;
}

/** The webhook API of an XTSystems platform, or of another instance of this app. */
export interface PlatformApi {
  /** Whether anybody is there; asks for no key. */
  health(): Promise<PlatformAnswer<null>>;
  /** Also says whether the key is taken. */
  list(): Promise<PlatformAnswer<readonly PlatformWebhook[]>>;
  /** Makes a webhook, or changes the one that has this address: a repetition makes no second one. */
  register(registration: Registration): Promise<PlatformAnswer<PlatformWebhook & { readonly created: boolean }>>;
  /** Has `webhook.test` sent at once; `success` says whether it was delivered. */
  test(id: string): Promise<PlatformAnswer<{ readonly success: boolean; readonly message: string }>>;
  lastDelivery(id: string): Promise<PlatformAnswer<PlatformDelivery | null>>;
}

/** What the platform tells webhooks about. */
export const PLATFORM_EVENTS = [
  "ticket.created",
  "ticket.updated",
  "ticket.closed",
  "asset.created",
  "asset.updated",
  "machine.registered",
  "machine.approved",
  "alert.triggered",
] as const;

const TIMEOUT_MS = 10_000;
/** After decompression. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
const MAX_DETAIL_CHARACTERS = 300;

const webhook = z.object({
  id: z.string().min(1),
  name: z.string().nullable(),
  url: z.string().nullable(),
  events: z.array(z.string()),
  active: z.boolean(),
});
const delivery = z.object({
  event_type: z.string(),
  response_status: z.number().nullable(),
  delivered_at: z.string().nullable(),
  created_at: z.string(),
});

export interface PlatformApiOptions {
  readonly url: string;
  readonly apiKey: string;
  /** Of one request; 10,000. */
  readonly timeoutMs?: number;
}

/** Every request takes at most 10 seconds, reads at most 4 MB, and follows no redirect: the key goes to nobody else. */
export function createPlatformApi({ timeoutMs = TIMEOUT_MS, ...options }: PlatformApiOptions): PlatformApi {
  const base = options.url.replace(/\/+$/, "");

  async function call<Value>(
    request: { readonly method: "GET" | "POST" | "PUT"; readonly path: string; readonly body?: unknown },
    schema: z.ZodType<Value>,
  ): Promise<PlatformAnswer<Value>> {
    let response: Response;
    let answer: ReadText;
    try {
      response = await fetch(base + request.path, {
        method: request.method,
        redirect: "manual",
        signal: AbortSignal.timeout(timeoutMs),
        headers: { authorization: `Bearer ${options.apiKey}`, "content-type": "application/json" },
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      });
      answer = await readText(response, { maxBytes: MAX_ANSWER_BYTES });
    } catch (error) {
      return { ok: false, reason: "unreachable", message: `No answer from ${base}: ${causeOf(error, timeoutMs)}.` };
    }
    if (response.status === 401) {
      return { ok: false, reason: "unauthorized", message: `${base} does not know this API key.` };
    }
    if (!answer.complete) {
      const message = `The answer of ${base} to ${request.method} ${request.path} is too long.`;
      return { ok: false, reason: "not_understood", message };
    }
    const body = parse(answer.text);
    if (!response.ok) {
      const message = `${base} answered ${response.status} to ${request.method} ${request.path}${detailOf(body)}.`;
      return { ok: false, reason: response.status === 403 ? "unauthorized" : "refused", message };
    }
    const read = schema.safeParse(body);
    if (read.success) return { ok: true, value: read.data };
    const message = `The answer of ${base} to ${request.method} ${request.path} is not a webhook platform's.`;
    return { ok: false, reason: "not_understood", message };
  }

  const list = () => call({ method: "GET", path: "/v1/webhooks" }, z.array(webhook));

  return {
    list,
    health: () =>
      call(
        { method: "GET", path: "/health" },
        z.unknown().transform(() => null),
      ),

    async register({ name, url, events, secret }) {
      const known = await list();
      if (!known.ok) return known;
      const same = known.value.find((one) => one.url === url);
      const body = { name, url, events, secret, active: true };
      const answer =
        same === undefined
          ? await call({ method: "POST", path: "/v1/webhooks", body }, webhook)
          : await call({ method: "PUT", path: pathOf(same.id), body: { ...body, name: same.name ?? name } }, webhook);
      return answer.ok ? { ok: true, value: { ...answer.value, created: same === undefined } } : answer;
    },

    test: (id) =>
      call({ method: "POST", path: `${pathOf(id)}/test` }, z.object({ success: z.boolean(), message: z.string() })),

    async lastDelivery(id) {
      const answer = await call({ method: "GET", path: `${pathOf(id)}/deliveries?limit=1` }, z.array(delivery));
      return answer.ok ? { ok: true, value: answer.value[0] ?? null } : answer;
    },
  };
}

/** What a platform says, with its full stop. */
export function sentence(said: string): string {
  return `${said.slice(0, MAX_DETAIL_CHARACTERS).trim().replace(/\.$/, "")}.`;
}

function pathOf(id: string): string {
  return `/v1/webhooks/${encodeURIComponent(id)}`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's page: the status says enough.
    return null;
  }
}

/** What problem details say, or a FastAPI service's `detail`. */
function detailOf(body: unknown): string {
  const detail = typeof body === "object" && body !== null && "detail" in body ? body.detail : undefined;
  return typeof detail === "string" ? `: ${detail.slice(0, MAX_DETAIL_CHARACTERS).replace(/\.$/, "")}` : "";
}

function causeOf(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && error.name === "TimeoutError") return `nothing came within ${timeoutMs / 1000} seconds`;
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message : String(cause);
}
