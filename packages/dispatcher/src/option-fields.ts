import type { AddressGuardOptions } from "./address-guard.js";
import type { CircuitBreakerOptions } from "./circuit-breaker.js";
import type { ProxyOptions } from "./connector.js";
import type { FieldIssue } from "./errors.js";
import type { DispatcherHooks } from "./hooks.js";
import type { TenantLimits } from "./limits.js";
import type { DispatcherOptions, TelemetryOptions } from "./options.js";
import type { RetentionOptions } from "./retention.js";
import { type FieldsOf, unknownFields } from "./unknown-fields.js";

const OPTIONS: FieldsOf<DispatcherOptions> = {
  database: true,
  encryptionKey: true,
  schema: true,
  events: true,
  destinations: true,
  addressGuard: true,
  proxy: true,
  verifyEndpoints: true,
  retrySchedule: true,
  timeoutMs: true,
  leaseMs: true,
  pollMs: true,
  stopTimeoutMs: true,
  maxInFlight: true,
  maxInFlightPerEndpoint: true,
  tenantLimits: true,
  maxEventBytes: true,
  maxResponseBytes: true,
  keptResponseCharacters: true,
  maxRetryAfterMs: true,
  idempotencyWindowMs: true,
  retention: true,
  circuitBreaker: true,
  disableAfterMs: true,
  maxHoldMs: true,
  backlogThreshold: true,
  hooks: true,
  mailer: true,
  telemetry: true,
  clock: true,
  logger: true,
  random: true,
};

const ADDRESS_GUARD: FieldsOf<AddressGuardOptions> = {
  allow: true,
  allowHttp: true,
  ports: true,
  nat64Prefixes: true,
  resolve: true,
};
const PROXY: FieldsOf<ProxyOptions> = { url: true, headers: true };
const TENANT_LIMITS: FieldsOf<TenantLimits> = { maxInFlight: true, rateLimit: true };
const TELEMETRY: FieldsOf<TelemetryOptions> = {
  tracerProvider: true,
  meterProvider: true,
  propagatesToReceivers: true,
};
const RETENTION: FieldsOf<RetentionOptions> = { payloadMs: true, attemptMs: true, eventMs: true };
const CIRCUIT_BREAKER: FieldsOf<CircuitBreakerOptions> = { failures: true, openMs: true, maxOpenMs: true };
const HOOKS: FieldsOf<DispatcherHooks> = {
  onAttempt: true,
  onEndpointDisabled: true,
  onEndpointRecovering: true,
  onDeliveryExhausted: true,
  onBacklogGrowing: true,
};

/** Options that are objects of fields of their own. */
const WITHIN = {
  addressGuard: ADDRESS_GUARD,
  proxy: PROXY,
  tenantLimits: TENANT_LIMITS,
  telemetry: TELEMETRY,
  retention: RETENTION,
  circuitBreaker: CIRCUIT_BREAKER,
  hooks: HOOKS,
} as const satisfies { readonly [Name in keyof DispatcherOptions]?: object };

/** What is wrong with the form of options: names that are not known, also within options, and values of another kind. */
export function optionIssues(options: DispatcherOptions): readonly FieldIssue[] {
  const { addressGuard, telemetry, hooks, retrySchedule, events, destinations, verifyEndpoints } = options;
  const { allow, ports, nat64Prefixes, allowHttp } = addressGuard ?? {};
  const groups = { addressGuard, telemetry, hooks, retrySchedule };
  const lists = {
    events,
    destinations,
    "addressGuard.allow": allow,
    "addressGuard.ports": ports,
    "addressGuard.nat64Prefixes": nat64Prefixes,
  };
  const switches = {
    verifyEndpoints,
    "addressGuard.allowHttp": allowHttp,
    "telemetry.propagatesToReceivers": telemetry?.propagatesToReceivers,
  };
  return [
    ...unknownFields(options, OPTIONS),
    ...Object.entries(WITHIN).flatMap(([name, known]) => {
      const given = options[name as keyof typeof WITHIN];
      return isObject(given) ? unknownFields(given, known, name) : [];
    }),
    ...unfit(groups, isObject, "is an object"),
    ...unfit(lists, Array.isArray, "is a list"),
    // A text is what an environment has, and "false" would switch on.
    ...unfit(switches, (value) => typeof value === "boolean", "is true or false"),
  ];
}

function unfit(values: object, isFit: (value: unknown) => boolean, message: string): readonly FieldIssue[] {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined && !isFit(value))
    .map(([path]) => ({ path, message }));
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
