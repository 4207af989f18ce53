import { DISCORD_LIMITS } from "../message/limits.js";
import type { CommandOption, CommandOptions } from "./command-options.js";
import type { ModalField } from "./modal-fields.js";

/** What was submitted, by name, or a sentence for the member. */
export type SubmittedValues =
  | { readonly ok: true; readonly values: Readonly<Record<string, string | number | boolean | null>> }
  | { readonly ok: false; readonly message: string };

interface SubmittedField {
  readonly custom_id: string;
  readonly value?: string | null | undefined;
  readonly values?: readonly string[] | null | undefined;
}

/** Checks a modal's fields again: what Discord's client enforces, a request need not have. */
export function readModalFields(
  fields: Readonly<Record<string, ModalField>>,
  submitted: readonly SubmittedField[],
): SubmittedValues {
  const values: Record<string, string | null> = {};
  for (const [name, field] of Object.entries(fields)) {
    const entry = submitted.find((candidate) => candidate.custom_id === name);
    const value = (field.kind === "text" ? entry?.value : entry?.values?.[0]) ?? "";
    if (value.trim() === "") {
      if (field.required !== false) return { ok: false, message: `“${field.label}” is needed.` };
      values[name] = null;
      continue;
    }
    const fault = faultOf(field, value);
    if (fault !== null) return { ok: false, message: `“${field.label}” ${fault}` };
    values[name] = value;
  }
  return { ok: true, values };
}

function faultOf(field: ModalField, value: string): string | null {
  if (field.kind === "select") {
    return field.options.some((option) => option.value === value) ? null : "has no such choice.";
  }
  const { minLength = 0, maxLength = DISCORD_LIMITS.textInput } = field;
  // Discord counts characters, not UTF-16 units.
  const length = [...value].length;
  if (length > maxLength) return `takes at most ${maxLength} characters.`;
  if (length < minLength) return `takes at least ${minLength} characters.`;
  return null;
}

/** Checks a command's options. */
export function readCommandOptions(
  options: CommandOptions,
  submitted: readonly { readonly name: string; readonly value?: string | number | boolean | undefined }[],
): SubmittedValues {
  const values: Record<string, string | number | boolean | null> = {};
  for (const [name, option] of Object.entries(options)) {
    const value = submitted.find((candidate) => candidate.name === name)?.value;
    if (value === undefined) {
      if (option.required === true) return { ok: false, message: `The option “${name}” is needed.` };
      values[name] = null;
      continue;
    }
    if (!fits(option, value)) return { ok: false, message: `The option “${name}” can't have this value.` };
    values[name] = value;
  }
  return { ok: true, values };
}

function fits(option: CommandOption, value: string | number | boolean): boolean {
  switch (option.type) {
    case "boolean":
      return typeof value === "boolean";
    case "integer":
    case "number":
      return (
        typeof value === "number" &&
        (option.type === "number" || Number.isInteger(value)) &&
        value >= (option.minValue ?? Number.NEGATIVE_INFINITY) &&
        value <= (option.maxValue ?? Number.POSITIVE_INFINITY) &&
        (option.choices === undefined || option.choices.some((choice) => choice.value === value))
      );
    case "string":
      return (
        typeof value === "string" &&
        value.length >= (option.minLength ?? 0) &&
        value.length <= (option.maxLength ?? 6_000) &&
        (option.choices === undefined || option.choices.some((choice) => choice.value === value))
      );
    default:
      return typeof value === "string" && /^\d{1,20}$/.test(value);
  }
}
