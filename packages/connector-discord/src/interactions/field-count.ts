import { DISCORD_LIMITS } from "../message/limits.js";
import type { CheckboxesField, EntityField, FileField, MultiSelectField } from "./modal-fields.js";

/** A field that holds a list. */
export type ListField = MultiSelectField | CheckboxesField | EntityField | FileField;

export interface FieldCount {
  readonly required: boolean;
  /** Of a list that is not empty. */
  readonly min: number;
  readonly max: number;
  /** What Discord takes as the highest `max` here. */
  readonly most: number;
}

/** How many values a field takes, by what its definition says and what is meant where it says nothing. */
export function fieldCount(field: ListField): FieldCount {
  const options = "options" in field ? field.options.length : null;
  const most = Math.min(options ?? DISCORD_LIMITS.selectOptions, MOST[field.kind] ?? DISCORD_LIMITS.selectOptions);
  return {
    required: field.required ?? true,
    min: field.minValues ?? 1,
    max: field.maxValues ?? options ?? 1,
    most,
  };
}

const MOST: Partial<Record<ListField["kind"], number>> = {
  checkboxes: DISCORD_LIMITS.checkboxOptions,
  file: DISCORD_LIMITS.files,
};
