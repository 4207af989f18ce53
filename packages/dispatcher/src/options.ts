import {
  type Clock,
  type Destination,
  type EventDefinition,
  type Logger,
  type Mailer,
  silentLogger,
  systemClock,
} from "@hookline/core";
import { type ColumnCipher, createColumnCipher, type Database, isDatabaseError } from "@hookline/postgres";
import type { MeterProvider, TracerProvider } from "@opentelemetry/api";
import type { AddressGuardOptions } from "./address-guard.js";
import type { CircuitBreakerOptions } from "./circuit-breaker.js";
import type { ProxyOptions } from "./connector.js";
import { DISABLE_AFTER_MESSAGE, isDisableAfterMs } from "./endpoint-input.js";
import { DispatcherError } from "./errors.js";
import type { DispatcherHooks } from "./hooks.js";
import { limitIssues, type TenantLimitsOption } from "./limits.js";
import { optionIssues } from "./option-fields.js";
import type { RetentionOptions } from "./retention.js";
import { RETRY_SCHEDULE, type RetrySchedule, scheduleIssues } from "./retry-schedule.js";

/** What {@link createDispatcher} takes. Only `database` and `encryptionKey` are needed. */
export interface DispatcherOptions<Events extends readonly EventDefinition[] = readonly EventDefinition[]> {
  readonly database: Database;
  /** 32 bytes in base64, or several, newest first: the first encrypts, any decrypts. Guards targets and secrets. */
  readonly encryptionKey: string | readonly string[];
  /** The Postgres schema of the tables. Default `hookline`. */
  readonly schema?: string;
  /** The event catalogue: data of these types are checked, and stored as their schema gives them back. */
  readonly events?: Events;
  /** Beside the built-in `webhook`. */
  readonly destinations?: readonly Destination[];
  /** Which addresses may be connected to. Default: public ones, by HTTPS. */
  readonly addressGuard?: AddressGuardOptions;
  /** A forward proxy for every request. It is asked for judged addresses, never for names. Default: none. */
  readonly proxy?: ProxyOptions;
  /** Every new webhook endpoint has to be verified before anything is delivered to it. Default false. */
  readonly verifyEndpoints?: boolean;
  /** Default: the schedule of Standard Webhooks, ten attempts over 75 hours. */
  readonly retrySchedule?: RetrySchedule;
  /** Of one attempt: connect, headers and body together. Default 20,000. */
  readonly timeoutMs?: number;
  /** How long a claimed delivery belongs to its worker. Default 60,000; at least `timeoutMs` and a half. */
  readonly leaseMs?: number;
  /** How often the queue is looked at without being asked to. Default 1,000. */
  readonly pollMs?: number;
  /** How long `stop` waits for attempts in flight; it ends 2 seconds later at most. Default 10,000. */
  readonly stopTimeoutMs?: number;
  /** Attempts in flight in this process. Default 512. */
  readonly maxInFlight?: number;
  /** Of which to one endpoint at most. Default 64; less when few are left. */
  readonly maxInFlightPerEndpoint?: number;
  /** What each tenant may take, of all its endpoints and direct sends together. Default: no limit. */
  readonly tenantLimits?: TenantLimitsOption;
  /** Of an event's data as JSON. Default 262,144. */
  readonly maxEventBytes?: number;
  /** Read of a response, as it comes and after decompression. Default 65,536. */
  readonly maxResponseBytes?: number;
  /** Kept of a response in the attempt log. Default 4,096. */
  readonly keptResponseCharacters?: number;
  /** The longest that a Retry-After is obeyed. Default 86,400,000 (a day). */
  readonly maxRetryAfterMs?: number;
  /** How long an idempotency key stands for the first event or direct send; later it may be used anew. Default 30 days. */
  readonly idempotencyWindowMs?: number;
  /** How long what is finished is kept. Default: for ever. */
  readonly retention?: RetentionOptions;
  /** When deliveries to an endpoint that keeps failing wait; null: never. An endpoint's policy can turn it off. */
  readonly circuitBreaker?: CircuitBreakerOptions | null;
  /**
   * An endpoint is disabled once nothing but failures came of it for so long, measured from the first one. Default
   * 432,000,000 (5 days); null: never. An endpoint's policy can say otherwise.
   */
  readonly disableAfterMs?: number | null;
  /** The longest that an endpoint's deliveries are held back for one `Retry-After`. Default 3,600,000 (an hour). */
  readonly maxHoldMs?: number;
  /** Deliveries that wait for one endpoint before `backlog.growing` tells of it. Default 10,000, at most 1,000,000; null: never. */
  readonly backlogThreshold?: number | null;
  /** Called after what they tell of was recorded. */
  readonly hooks?: DispatcherHooks;
  /** Mails an endpoint's `contactAddress` when the dispatcher disables the endpoint. */
  readonly mailer?: Mailer;
  /** Where traces and metrics go, and whether receivers get the trace context. */
  readonly telemetry?: TelemetryOptions;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** From 0 to 1, for jitter. Default `Math.random`. */
  readonly random?: () => number;
}

/** Traces and metrics by the OpenTelemetry API; without an SDK nothing is made. */
export interface TelemetryOptions {
  /** Default: the one that is registered. */
  readonly tracerProvider?: TracerProvider;
  /** Default: the one that is registered when `start` is called. */
  readonly meterProvider?: MeterProvider;
  /** Sends `traceparent` and `tracestate` to the receivers. Default false: they are none of their business. */
  readonly propagatesToReceivers?: boolean;
}

export const DEFAULTS = {
  schema: "hookline",
  timeoutMs: 20_000,
  leaseMs: 60_000,
  pollMs: 1_000,
  stopTimeoutMs: 10_000,
  maxInFlight: 512,
  maxInFlightPerEndpoint: 64,
  maxEventBytes: 256 * 1024,
  maxResponseBytes: 64 * 1024,
  keptResponseCharacters: 4096,
  maxRetryAfterMs: 86_400_000,
  idempotencyWindowMs: 30 * 86_400_000,
  disableAfterMs: 5 * 86_400_000,
  maxHoldMs: 3_600_000,
  backlogThreshold: 10_000,
  /** Deliveries that wait in memory, of all endpoints together. */
  maxWaiting: 2_000,
  /** Of the data of these. */
  maxWaitingBytes: 64 * 1024 * 1024,
  /** Of which for one endpoint. */
  maxWaitingPerEndpoint: 256,
  claimBatch: 200,
  sweepMs: 15_000,
} as const satisfies Record<string, string | number>;

export const CIRCUIT_BREAKER = {
  failures: 10,
  openMs: 10_000,
  maxOpenMs: 600_000,
} as const satisfies Required<CircuitBreakerOptions>;

/** What Standard Webhooks names as the longest. */
const MAX_ENDPOINT_TIMEOUT_MS = 30_000;

/** Options with every default filled in, checked once. */
export type Settings = Required<
  Omit<
    DispatcherOptions,
    "addressGuard" | "proxy" | "events" | "destinations" | "encryptionKey" | "circuitBreaker" | "mailer"
  >
> & {
  /** Null: none. */
  readonly circuitBreaker: Required<CircuitBreakerOptions> | null;
  readonly mailer: Mailer | null;
  readonly events: readonly EventDefinition[];
  readonly destinations: readonly Destination[];
  /** Of the encryption keys. */
  readonly cipher: ColumnCipher;
  readonly addressGuard: AddressGuardOptions;
  readonly proxy: ProxyOptions | null;
  readonly maxWaiting: number;
  readonly maxWaitingBytes: number;
  readonly maxWaitingPerEndpoint: number;
  readonly claimBatch: number;
  readonly sweepMs: number;
  /** The longest that an endpoint may say. */
  readonly maxTimeoutMs: number;
};

export function resolveOptions(options: DispatcherOptions): Settings {
  if (typeof options !== "object" || options === null) throw refused("options", "are an object");
  refuseUnfit(options);
  const { encryptionKey, ...rest } = options;
  // What an environment leaves out comes here as undefined, whatever the compiler says.
  if (typeof rest.database?.transaction !== "function") {
    throw refused("database", "is what openDatabase or fromPool of @hookline/postgres answers");
  }
  const cipher = cipherOf(encryptionKey);
  const given = {
    ...DEFAULTS,
    events: [],
    destinations: [],
    addressGuard: {},
    retention: {},
    proxy: null,
    verifyEndpoints: false,
    retrySchedule: RETRY_SCHEDULE,
    tenantLimits: {},
    telemetry: {},
    clock: systemClock,
    logger: silentLogger,
    random: Math.random,
    hooks: {},
    mailer: null,
    ...withoutUndefined(rest),
    circuitBreaker:
      rest.circuitBreaker === null ? null : { ...CIRCUIT_BREAKER, ...withoutUndefined(rest.circuitBreaker ?? {}) },
    cipher,
  };
  const settings: Settings = {
    ...given,
    maxTimeoutMs: Math.max(given.timeoutMs, Math.min(MAX_ENDPOINT_TIMEOUT_MS, given.leaseMs / 1.5)),
  };
  if (!/^[a-z_][a-z0-9_]{0,40}$/.test(settings.schema)) {
    throw refused("schema", "holds lower-case letters, digits and _ only, 41 at most");
  }
  for (const name of POSITIVE) {
    if (!(Number.isFinite(settings[name]) && settings[name] > 0)) throw refused(name, "is a number above 0");
  }
  for (const [name, value] of Object.entries(settings.circuitBreaker ?? {})) {
    if (!(Number.isFinite(value) && value > 0)) throw refused(`circuitBreaker.${name}`, "is a number above 0");
  }
  if (settings.disableAfterMs !== null && !isDisableAfterMs(settings.disableAfterMs)) {
    throw refused("disableAfterMs", DISABLE_AFTER_MESSAGE);
  }
  if (settings.backlogThreshold !== null && !isBacklogThreshold(settings.backlogThreshold)) {
    throw refused("backlogThreshold", `is null, or a whole number from 1 to ${MAX_BACKLOG_THRESHOLD}`);
  }
  if (settings.leaseMs < settings.timeoutMs * 1.5)
    throw refused("leaseMs", "is at least one and a half times timeoutMs");
  if (settings.proxy !== null && !isProxyUrl(settings.proxy.url))
    throw refused("proxy.url", "is a URL, http: or https:");
  if (typeof settings.tenantLimits !== "function") {
    const [wrong] = limitIssues(settings.tenantLimits);
    if (wrong !== undefined) throw refused(["tenantLimits", wrong.path].filter(Boolean).join("."), wrong.message);
  }
  if (typeof settings.retention !== "object" || settings.retention === null) throw refused("retention", "is an object");
  for (const [name, keptMs] of Object.entries(settings.retention) as [string, number | undefined][]) {
    if (keptMs === undefined) continue;
    if (!(Number.isFinite(keptMs) && keptMs > 0)) throw refused(`retention.${name}`, "is a number above 0");
  }
  if ((settings.retention.eventMs ?? Number.POSITIVE_INFINITY) < settings.idempotencyWindowMs) {
    throw refused("retention.eventMs", "is at least idempotencyWindowMs");
  }
  const [issue] = scheduleIssues(settings.retrySchedule);
  if (issue !== undefined) throw refused(`retrySchedule.${issue.path}`, issue.message);
  return settings;
}

const POSITIVE = [
  "timeoutMs",
  "leaseMs",
  "pollMs",
  "stopTimeoutMs",
  "maxInFlight",
  "maxInFlightPerEndpoint",
  "maxEventBytes",
  "maxResponseBytes",
  "keptResponseCharacters",
  "maxRetryAfterMs",
  "idempotencyWindowMs",
  "maxHoldMs",
] as const satisfies readonly (keyof Settings)[];

/** Each endpoint's deliveries are counted up to it, again and again. */
const MAX_BACKLOG_THRESHOLD = 1_000_000;

function isBacklogThreshold(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= MAX_BACKLOG_THRESHOLD;
}

function isProxyUrl(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

const KEY_MESSAGE =
  'is 32 random bytes in base64, as "openssl rand -base64 32" makes them, or a list of such keys, newest first';

function cipherOf(encryptionKey: unknown): ColumnCipher {
  const keys: readonly unknown[] = Array.isArray(encryptionKey) ? encryptionKey : [encryptionKey];
  if (!keys.every((key) => typeof key === "string")) throw refused("encryptionKey", KEY_MESSAGE);
  try {
    return createColumnCipher({ keys });
  } catch (error) {
    if (isDatabaseError(error) && error.code === "invalid_key") throw refused("encryptionKey", KEY_MESSAGE, error);
    throw error;
  }
}

function refuseUnfit(options: DispatcherOptions): void {
  const issues = optionIssues(options);
  const [first] = issues;
  if (first === undefined) return;
  throw new DispatcherError("invalid_options", `createDispatcher: ${first.path} ${first.message}.`, { issues });
}

function refused(path: string, message: string, cause?: unknown): DispatcherError {
  return new DispatcherError("invalid_options", `createDispatcher: ${path} ${message}.`, {
    cause,
    issues: [{ path, message }],
  });
}

function withoutUndefined<Value extends object>(value: Value): Value {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Value;
}
