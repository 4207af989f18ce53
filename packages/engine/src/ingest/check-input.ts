import type { Identity, IngestInput } from "@hookline/core";
import { DEFAULTS } from "../defaults.js";
import { EngineError, type EngineErrorCode } from "../errors.js";
import { normaliseIdentities } from "../identity/identity.js";
import { observeProperties, type PropertyState } from "../identity/property-state.js";
import { isCleanText, isPlainObject, isStorable } from "../storage/text.js";

/** What the engine was told about identities and properties by its connectors. */
export interface IngestRules {
  readonly identityKinds: ReadonlySet<string>;
  readonly mergedProperties: ReadonlySet<string>;
}

export interface CheckedInput {
  readonly tenantId: string;
  readonly type: string;
  readonly timestamp: Date;
  readonly idempotencyKey: string;
  readonly identities: readonly Identity[];
  readonly data: unknown;
  readonly observed: PropertyState;
}

const EVENT_TYPE = /^[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)*$/;
const MAX_EVENT_TYPE_CHARACTERS = 128;
const MAX_TENANT_CHARACTERS = 128;
/** What comes before has no ISO 8601 form that Postgres reads. */
const YEAR_ONE_MS = Date.parse("0001-01-01T00:00:00.000Z");

/** @throws EngineError `invalid_event`, `invalid_identity`, `invalid_email` or `invalid_properties` */
export function checkInput(input: IngestInput, rules: IngestRules & { readonly nowMs: number }): CheckedInput {
  if (!isPlainObject(input)) throw new EngineError("invalid_event", "An event is an object.");
  const timestamp = checkTimestamp(input.timestamp, rules.nowMs);
  return {
    tenantId: checkTenantId(input.tenantId),
    type: checkType(input.type),
    timestamp,
    idempotencyKey: checkText(input.idempotencyKey, "idempotencyKey", DEFAULTS.maxIdempotencyKeyCharacters),
    identities: normaliseIdentities(input.identities, rules.identityKinds),
    data: checkObject(input.data, { name: "data", code: "invalid_event", maxBytes: DEFAULTS.maxDataBytes }),
    observed: checkProperties(input.contactProperties, timestamp, rules),
  };
}

/** @throws EngineError `invalid_event` */
export function checkTenantId(tenantId: string): string {
  return checkText(tenantId, "tenantId", MAX_TENANT_CHARACTERS);
}

/** @throws EngineError `invalid_event` */
export function checkTimestamp(timestamp: Date, nowMs: number): Date {
  if (!(timestamp instanceof Date) || Number.isNaN(timestamp.getTime())) {
    throw new EngineError("invalid_event", "timestamp is a valid Date.");
  }
  if (timestamp.getTime() < YEAR_ONE_MS) throw new EngineError("invalid_event", "timestamp is before the year 1.");
  if (timestamp.getTime() > nowMs + DEFAULTS.maxClockSkewMs) {
    throw new EngineError("invalid_event", "timestamp is more than a day ahead of this machine's clock.");
  }
  return timestamp;
}

/** @throws EngineError `invalid_properties` */
export function checkProperties(
  properties: IngestInput["contactProperties"],
  observedAt: Date,
  { mergedProperties }: IngestRules,
): PropertyState {
  const checked = checkObject(properties ?? {}, {
    name: "contactProperties",
    code: "invalid_properties",
    maxBytes: DEFAULTS.maxPropertiesBytes,
  });
  for (const key of mergedProperties) {
    const value = Object.hasOwn(checked, key) ? checked[key] : undefined;
    if (value !== undefined && value !== null && !isPlainObject(value)) {
      throw new EngineError("invalid_properties", `contactProperties.${key} merges one level deep: it is an object.`);
    }
  }
  return observeProperties(checked, observedAt.getTime(), mergedProperties);
}

function checkType(type: string): string {
  if (typeof type !== "string" || type.length > MAX_EVENT_TYPE_CHARACTERS || !EVENT_TYPE.test(type)) {
    throw new EngineError("invalid_event", "type is a dotted lower-case name such as ticket.created.");
  }
  return type;
}

function checkText(text: string, name: string, maxCharacters: number): string {
  if (typeof text !== "string" || !isCleanText(text, maxCharacters)) {
    throw new EngineError(
      "invalid_event",
      `${name} is a text of 1 to ${maxCharacters} characters without control characters.`,
    );
  }
  return text;
}

interface ObjectBounds {
  readonly name: string;
  readonly code: EngineErrorCode;
  readonly maxBytes: number;
}

/** A copy that is JSON and nothing else. */
function checkObject(object: unknown, { name, code, maxBytes }: ObjectBounds): Record<string, unknown> {
  if (!isPlainObject(object)) throw new EngineError(code, `${name} is an object.`);
  if (isDeeperThan(object, DEFAULTS.maxDepth)) {
    throw new EngineError(code, `${name} nests deeper than ${DEFAULTS.maxDepth} levels.`);
  }
  let json: string;
  let copy: Record<string, unknown>;
  try {
    json = JSON.stringify(object);
    copy = json.includes("\\u") ? JSON.parse(json, requireStorable) : JSON.parse(json);
  } catch (cause) {
    throw new EngineError(code, `${name} can't be stored as JSON.`, { cause });
  }
  // A character takes three bytes at most, so most texts need not be measured.
  if (json.length * 3 > maxBytes && Buffer.byteLength(json) > maxBytes)
    throw new EngineError(code, `${name} is larger than ${maxBytes} bytes.`);
  return copy;
}

/** What it refuses is written with `\u` in JSON. */
function requireStorable(key: string, value: unknown): unknown {
  if (isStorable(key) && (typeof value !== "string" || isStorable(value))) return value;
  throw new Error("U+0000 or half a surrogate pair");
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(inner, levels - 1));
}
