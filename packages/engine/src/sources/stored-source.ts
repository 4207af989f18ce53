import { DEFAULTS } from "../defaults.js";
import { type EngineError, isEngineError } from "../errors.js";
import { refusedBy } from "../field-faults.js";
import { isCleanText, isPlainObject } from "../storage/text.js";
import { readAllowedAddresses } from "./allowed-addresses.js";
import { SOURCE_METHODS, type SourceMethod } from "./check-source.js";
import { FIELD_IDENTITIES, FIELD_TYPES, type SourceField } from "./field-schema.js";

/** A source that a tenant has made, as it can be shown: never its secrets. */
export interface StoredSource extends SourceDefinition {
  readonly id: string;
  readonly tenantId: string;
  /** Unique in its tenant, the end of the path, and never changed. */
  readonly endpoint: string;
  /** Where it takes requests: `/automation/<id>/<endpoint>`. */
  readonly path: string;
  /** The type of the events that it publishes, for triggers of automations: `source.<endpoint>`. */
  readonly eventType: string;
  readonly active: boolean;
  /** ISO 8601: when its secrets were made, or rotated last. Null where it has none. */
  readonly rotatedAt: string | null;
  /** ISO 8601. */
  readonly createdAt: string;
  /** ISO 8601. */
  readonly updatedAt: string;
}

/** What a stored source takes, and from whom. */
export interface SourceDefinition {
  readonly description: string | null;
  readonly method: SourceMethod;
  /** What its JSON object has to have; what else it has is taken as it is. */
  readonly fields: readonly SourceField[];
  /** Whether callers need its bearer token. */
  readonly bearer: boolean;
  /** Whether callers have to sign, by either form of erxes. */
  readonly signature: boolean;
  /** Addresses and networks in CIDR notation, IPv4 and IPv6. Empty: any address. */
  readonly allowedAddresses: readonly string[];
  /** Whether a signed request that was accepted is refused when it comes again. */
  readonly preventReplay: boolean;
  /** Of one address: 1 to 10,000. */
  readonly requestsPerMinute: number;
  /** 1,024 to 1,048,576. */
  readonly maxBodyBytes: number;
}

/** What of a definition can be changed later. */
export type SourceChanges = Partial<Omit<SourceDefinition, "bearer" | "signature">>;

const ENDPOINT = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const FIELD_NAME = /^(?!__proto__$)[A-Za-z_][\w-]{0,127}$/;
const MAX_DESCRIPTION_CHARACTERS = 500;

/** @throws EngineError `invalid_source` */
export function checkEndpoint(endpoint: string): string {
  if (typeof endpoint === "string" && ENDPOINT.test(endpoint)) return endpoint;
  throw invalidSource(["endpoint: letters, digits, _ and -, 64 characters at most"]);
}

/** The fields of a definition alone. */
export function definitionOf(definition: SourceDefinition): SourceDefinition {
  const { description, method, fields, bearer, signature, allowedAddresses, preventReplay } = definition;
  const { requestsPerMinute, maxBodyBytes } = definition;
  return {
    description,
    method,
    fields,
    bearer,
    signature,
    allowedAddresses,
    preventReplay,
    requestsPerMinute,
    maxBodyBytes,
  };
}

/** @throws EngineError `invalid_source`, with every fault that was found */
export function checkDefinition(definition: SourceDefinition): SourceDefinition {
  const issues = [...definitionIssues(definition)];
  if (issues.length > 0) throw invalidSource(issues);
  return definitionOf(definition);
}

function* definitionIssues(definition: SourceDefinition): Generator<string> {
  const { description, method, fields, signature, allowedAddresses, preventReplay } = definition;
  if (
    description !== null &&
    !(typeof description === "string" && isCleanText(description, MAX_DESCRIPTION_CHARACTERS))
  ) {
    yield `description: a text of 1 to ${MAX_DESCRIPTION_CHARACTERS} characters, or null`;
  }
  if (!SOURCE_METHODS.includes(method)) yield `method: one of ${SOURCE_METHODS.join(", ")}`;
  if (typeof preventReplay !== "boolean") yield "preventReplay: true or false";
  else if (preventReplay && !signature) {
    yield "preventReplay: what is not signed can't be told from a new request, so it needs a secret";
  }
  for (const name of ["requestsPerMinute", "maxBodyBytes"] as const) {
    const { min, max } = DEFAULTS.source.bounds[name];
    const value = definition[name];
    if (!Number.isInteger(value) || value < min || value > max) yield `${name}: a whole number from ${min} to ${max}`;
  }
  yield* fieldListIssues(fields);
  yield* addressIssues(allowedAddresses);
}

function* fieldListIssues(fields: readonly SourceField[]): Generator<string> {
  const { maxFields } = DEFAULTS.source;
  if (!Array.isArray(fields) || fields.length > maxFields) {
    yield `fields: a list of ${maxFields} at most`;
    return;
  }
  const seen = new Set<unknown>();
  for (const [at, field] of (fields as readonly unknown[]).entries()) {
    const { name, type, required = false, description = "-", identity } = isPlainObject(field) ? field : NO_FIELD;
    if (typeof name !== "string" || !FIELD_NAME.test(name)) {
      yield `fields.${at}.name: letters, digits, _ and -, 128 characters at most`;
    } else if (seen.has(name)) yield `fields.${at}.name: another field has the name "${name}"`;
    if (!TYPES.has(type)) yield `fields.${at}.type: one of ${FIELD_TYPES.join(", ")}`;
    if (typeof required !== "boolean") yield `fields.${at}.required: true or false`;
    if (typeof description !== "string" || !isCleanText(description, MAX_DESCRIPTION_CHARACTERS)) {
      yield `fields.${at}.description: a text of 1 to ${MAX_DESCRIPTION_CHARACTERS} characters`;
    }
    if (identity !== undefined && !(type === "string" && IDENTITIES.has(identity))) {
      yield `fields.${at}.identity: one of ${FIELD_IDENTITIES.join(", ")}, of a string`;
    }
    seen.add(name);
  }
}

const NO_FIELD: Readonly<Record<string, unknown>> = {};
const TYPES: ReadonlySet<unknown> = new Set(FIELD_TYPES);
const IDENTITIES: ReadonlySet<unknown> = new Set(FIELD_IDENTITIES);

function* addressIssues(allowedAddresses: readonly string[]): Generator<string> {
  const { maxAddresses } = DEFAULTS.source;
  if (!Array.isArray(allowedAddresses) || allowedAddresses.length > maxAddresses) {
    yield `allowedAddresses: a list of ${maxAddresses} at most`;
  } else if (allowedAddresses.length > 0) {
    try {
      readAllowedAddresses(allowedAddresses.map(String));
    } catch (error) {
      if (!isEngineError(error)) throw error;
      yield `allowedAddresses: ${error.message.replace(/^allowedAddresses: /, "")}`;
    }
  }
}

export function invalidSource(issues: readonly string[]): EngineError {
  return refusedBy("invalid_source", "The source", issues);
}
