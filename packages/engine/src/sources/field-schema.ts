import type { Identity, SchemaIssue, StandardSchema } from "@hookline/core";
import { isEngineError } from "../errors.js";
import { normaliseIdentity } from "../identity/identity.js";
import { isPlainObject } from "../storage/text.js";

export const FIELD_TYPES = ["string", "number", "boolean", "object", "array"] as const;
export type FieldType = (typeof FIELD_TYPES)[number];

/** One field of the JSON object that a stored source takes. */
export interface SourceField {
  /** Letters, digits, `_` and `-`; 128 characters at most. */
  readonly name: string;
  readonly type: FieldType;
  /** False when absent. `null` counts as missing. */
  readonly required?: boolean | undefined;
  readonly description?: string | undefined;
  /** Of a text that says whom the event is about: its email address, or its id in your own system. */
  readonly identity?: FieldIdentity | undefined;
}

export const FIELD_IDENTITIES = ["email", "external"] as const;
export type FieldIdentity = (typeof FIELD_IDENTITIES)[number];
const KINDS: ReadonlySet<string> = new Set(FIELD_IDENTITIES);

/** Whom a body names in its fields; nobody where these are absent. */
export function identitiesIn(
  fields: readonly SourceField[],
  body: Readonly<Record<string, unknown>>,
): readonly Identity[] {
  return fields.flatMap(({ name, identity }) => {
    const value = identity !== undefined && Object.hasOwn(body, name) ? body[name] : undefined;
    return identity !== undefined && typeof value === "string" ? [{ kind: identity, value }] : [];
  });
}

const FITS: Readonly<Record<FieldType, (value: unknown) => boolean>> = {
  string: (value) => typeof value === "string",
  // JSON has numbers that JavaScript reads as Infinity.
  number: (value) => Number.isFinite(value),
  boolean: (value) => typeof value === "boolean",
  object: isPlainObject,
  array: Array.isArray,
};

/** An object with these fields, whatever else it has. Says what is wrong with each of them. */
export function fieldSchema(fields: readonly SourceField[]): StandardSchema<Readonly<Record<string, unknown>>> {
  return {
    "~standard": {
      version: 1,
      vendor: "hookline",
      validate(value) {
        if (!isPlainObject(value)) return { issues: [{ message: "must be an object" }] };
        const issues = fields.flatMap((field) => fieldIssues(field, value));
        return issues.length > 0 ? { issues } : { value };
      },
    },
  };
}

function fieldIssues(
  { name, type, required = false, identity }: SourceField,
  body: Readonly<Record<string, unknown>>,
): readonly SchemaIssue[] {
  const value = Object.hasOwn(body, name) ? (body[name] ?? null) : null;
  if (value === null) return required ? [{ path: [name], message: "is required" }] : [];
  if (FITS[type](value)) return identity === undefined ? [] : identityIssues(name, { kind: identity, value });
  const article = type === "object" || type === "array" ? "an" : "a";
  return [{ path: [name], message: `must be ${article} ${type}` }];
}

function identityIssues(
  name: string,
  { kind, value }: { kind: FieldIdentity; value: unknown },
): readonly SchemaIssue[] {
  try {
    normaliseIdentity({ kind, value: String(value) }, KINDS);
    return [];
  } catch (error) {
    if (!isEngineError(error)) throw error;
    return [{ path: [name], message: kind === "email" ? "must be an email address" : "must be an id" }];
  }
}
