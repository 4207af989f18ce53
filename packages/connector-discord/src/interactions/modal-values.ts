import { DISCORD_LIMITS } from "../message/limits.js";
import { type FieldCount, fieldCount } from "./field-count.js";
import type { ModalField, TextField } from "./modal-fields.js";
import type { Resolved, SubmittedField } from "./payload.js";
import { resolvedEntities, resolvedFile } from "./resolved.js";

/** What was submitted, by name, or a sentence for the member. */
export type ModalValues =
  | { readonly ok: true; readonly values: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly message: string };

interface Submitted {
  readonly fields: readonly SubmittedField[];
  readonly resolved: Resolved;
}

/** A value, or what is wrong with it, behind the field's label. */
type Read = { readonly value: unknown } | { readonly fault: string };

/** Checks a modal's fields again: what Discord's client enforces, a request need not have. */
export function readModalFields(
  fields: Readonly<Record<string, ModalField>>,
  { fields: submitted, resolved }: Submitted,
): ModalValues {
  const values: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    const entry = submitted.find((candidate) => candidate.custom_id === name);
    const read = readField(field, entry, resolved);
    if ("fault" in read) return { ok: false, message: `“${field.label}” ${read.fault}` };
    values[name] = read.value;
  }
  return { ok: true, values };
}

const NEEDED = { fault: "is needed." } as const;
const NO_SUCH_CHOICE = { fault: "has no such choice." } as const;

function readField(field: ModalField, entry: SubmittedField | undefined, resolved: Resolved): Read {
  switch (field.kind) {
    case "text":
      return readText(field, entry?.value);
    case "checkbox":
      return { value: entry?.value === true };
    case "select":
    case "radio": {
      const chosen = field.kind === "radio" ? entry?.value : entry?.values?.[0];
      if (typeof chosen !== "string" || chosen === "") return field.required === false ? { value: null } : NEEDED;
      return field.options.some(({ value }) => value === chosen) ? { value: chosen } : NO_SUCH_CHOICE;
    }
    default: {
      const given = entry?.values ?? [];
      const fault = countFault(fieldCount(field), given);
      if (fault !== null) return fault;
      if (field.kind === "file") return listOf(given.map((id) => resolvedFile(resolved, id)));
      if (!("options" in field)) {
        const found = resolvedEntities(field.kind, given, resolved);
        return found ? { value: found } : NO_SUCH_CHOICE;
      }
      const { options } = field;
      return given.every((value) => options.some((option) => option.value === value))
        ? { value: given }
        : NO_SUCH_CHOICE;
    }
  }
}

function readText(field: TextField, typed: SubmittedField["value"]): Read {
  if (typeof typed !== "string" || typed.trim() === "") return field.required === false ? { value: null } : NEEDED;
  const { minLength = 0, maxLength = DISCORD_LIMITS.textInput } = field;
  // Discord counts characters, not UTF-16 units.
  const length = [...typed].length;
  if (length > maxLength) return { fault: `takes at most ${maxLength} characters.` };
  if (length < minLength) return { fault: `takes at least ${minLength} characters.` };
  return { value: typed };
}

function countFault({ required, min, max }: FieldCount, given: readonly string[]): { readonly fault: string } | null {
  if (given.length === 0) return required ? NEEDED : null;
  if (given.length > max) return { fault: `takes at most ${max}.` };
  if (given.length < min) return { fault: `takes at least ${min}.` };
  return new Set(given).size === given.length ? null : NO_SUCH_CHOICE;
}

function listOf(found: readonly unknown[]): Read {
  return found.every((item) => item !== undefined) ? { value: found } : NO_SUCH_CHOICE;
}
