import type { FieldFault } from "./refusal.js";

type Body = Record<string, unknown>;

/** Menus and groups of boxes whose options are their own. */
const WITH_OPTIONS: ReadonlySet<unknown> = new Set([3, 21, 22]);
const CHOOSING: ReadonlySet<unknown> = new Set([3, 5, 6, 7, 8, 19, 22]);

/** What Discord refuses of a menu beyond the shape: repeated values, a least above the most, too many defaults. */
export function choiceFaults(component: Body, at: readonly PropertyKey[]): FieldFault[] {
  const options = WITH_OPTIONS.has(component.type) ? optionsOf(component) : [];
  const faults: FieldFault[] = [];
  const seen = new Set<unknown>();
  for (const [index, { value }] of options.entries()) {
    if (seen.has(value)) {
      faults.push({
        path: [...at, "options", index, "value"],
        code: "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
        message: "The specified option value is already used",
      });
    }
    seen.add(value);
  }
  if (!CHOOSING.has(component.type)) {
    return faults;
  }
  const max = Number(component.max_values ?? (component.type === 22 ? options.length : 1));
  if (Number(component.min_values ?? 1) > max) {
    faults.push({
      path: [...at, "min_values"],
      code: "SELECT_COMPONENT_INVALID_VALUES",
      message: "min_values must be less than or equal to max_values",
    });
  }
  if (WITH_OPTIONS.has(component.type) && max > options.length) {
    faults.push({
      path: [...at, "max_values"],
      code: "NUMBER_TYPE_MAX",
      message: `int value should be less than or equal to ${options.length}.`,
    });
  }
  const defaults = WITH_OPTIONS.has(component.type)
    ? options.filter((option) => option.default === true).length
    : listOf(component.default_values).length;
  if (defaults > max) {
    faults.push({
      path: [...at, WITH_OPTIONS.has(component.type) ? "options" : "default_values"],
      code: "BASE_TYPE_BAD_LENGTH",
      message: `Must be between 0 and ${max} in length.`,
    });
  }
  return faults;
}

/** Choices that fit the option that is being typed; Discord refuses them otherwise. */
export function suggestionFaults(choices: readonly Body[], optionType: number | undefined): FieldFault[] {
  const fits = (value: unknown) => {
    if (optionType === 3) return typeof value === "string" && value !== "";
    return typeof value === "number" && (optionType === 10 || Number.isInteger(value));
  };
  return choices.flatMap(({ value }, index) =>
    fits(value)
      ? []
      : [
          {
            path: ["data", "choices", index, "value"],
            code: "APPLICATION_COMMAND_OPTIONS_CHOICES_INVALID",
            message: "The choice's value does not fit the option's type",
          },
        ],
  );
}

function optionsOf(component: Body): Body[] {
  return listOf(component.options);
}

function listOf(value: unknown): Body[] {
  return Array.isArray(value) ? (value as Body[]) : [];
}
