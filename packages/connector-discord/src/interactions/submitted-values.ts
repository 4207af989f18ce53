import { DISCORD_LIMITS } from "../message/limits.js";
import type { CommandOption, CommandOptions } from "./command-options.js";

/** What was submitted, by name, or a sentence for the member. */
export type SubmittedValues =
  | { readonly ok: true; readonly values: Readonly<Record<string, string | number | boolean | null>> }
  | { readonly ok: false; readonly message: string };

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
    case "string": {
      if (typeof value !== "string") return false;
      // Discord counts characters, not UTF-16 units.
      const { length } = [...value];
      return (
        length >= (option.minLength ?? 0) &&
        length <= (option.maxLength ?? DISCORD_LIMITS.commandText) &&
        (option.choices === undefined || option.choices.some((choice) => choice.value === value))
      );
    }
    default:
      return typeof value === "string" && /^\d{1,20}$/.test(value);
  }
}
