import type { ChannelTypeName, ChoiceOption, ChosenChannel, ChosenRole, ChosenUser } from "./choices.js";

/**
 * One field of a modal.
 *
 * @see https://docs.discord.com/developers/components/reference#label
 */
export type ModalField =
  | TextField
  | SelectField
  | RadioField
  | MultiSelectField
  | CheckboxesField
  | CheckboxField
  | EntityField
  | FileField;

interface FieldBase {
  /** At most 45 characters. */
  readonly label: string;
  /** A hint below the label, at most 100 characters. */
  readonly description?: string;
  /** True when absent. */
  readonly required?: boolean;
}

export interface TextField extends FieldBase {
  readonly kind: "text";
  /** `short` when absent: one line. */
  readonly style?: "short" | "paragraph";
  readonly minLength?: number;
  /** At most 4,000, which is also meant when absent. */
  readonly maxLength?: number;
  readonly placeholder?: string;
}

/** One of 1 to 25 options, in a menu. */
export interface SelectField extends FieldBase {
  readonly kind: "select";
  readonly placeholder?: string;
  readonly options: readonly ChoiceOption[];
}

/** One of 2 to 10 options, all in sight. */
export interface RadioField extends FieldBase {
  readonly kind: "radio";
  readonly options: readonly ChoiceOption[];
}

/** Several of 1 to 25 options, in a menu. */
export interface MultiSelectField extends FieldBase, Several {
  readonly kind: "multi-select";
  readonly placeholder?: string;
  readonly options: readonly ChoiceOption[];
}

/** Several of 1 to 10 options, all in sight. */
export interface CheckboxesField extends FieldBase, Several {
  readonly kind: "checkboxes";
  readonly options: readonly ChoiceOption[];
}

/** Yes or no. It always has a value, so it is never required. */
export interface CheckboxField extends Omit<FieldBase, "required"> {
  readonly kind: "checkbox";
  readonly default?: boolean;
}

/** Members, roles or channels of the server. */
export interface EntityField extends FieldBase, Several {
  readonly kind: "users" | "roles" | "channels";
  readonly placeholder?: string;
  /** For `channels`: only these; all when absent. */
  readonly channelTypes?: readonly ChannelTypeName[];
}

/** Files that the member uploads. */
export interface FileField extends FieldBase, Several {
  readonly kind: "file";
}

interface Several {
  /** How many at least where any are given; 1 when absent. */
  readonly minValues?: number;
  /** At most 25, of `checkboxes` and `file` 10; all options where there are options, else 1, when absent. */
  readonly maxValues?: number;
}

/** A file that a member has uploaded. Discord's address of it works for a day or so: fetch what is to stay. */
export interface UploadedFile {
  readonly id: string;
  readonly name: string;
  readonly sizeBytes: number;
  /** As Discord guesses it; null where it does not. */
  readonly contentType: string | null;
  readonly url: string;
}

/** What the handler gets, by the field's name; null for an optional single one that was left empty. */
export type ModalFieldValues<Fields extends Readonly<Record<string, ModalField>>> = {
  readonly [Name in keyof Fields]: FieldValue<Fields[Name]>;
};

type FieldValue<Field extends ModalField> = Field extends TextField
  ? OrNull<Field, string>
  : Field extends SelectField | RadioField
    ? OrNull<Field, Field["options"][number]["value"]>
    : Field extends MultiSelectField | CheckboxesField
      ? readonly Field["options"][number]["value"][]
      : Field extends CheckboxField
        ? boolean
        : Field extends FileField
          ? readonly UploadedFile[]
          : readonly ChosenEntity<Field["kind"]>[];

type OrNull<Field extends FieldBase, Value> = Field["required"] extends false ? Value | null : Value;

type ChosenEntity<Kind> = Kind extends "users" ? ChosenUser : Kind extends "roles" ? ChosenRole : ChosenChannel;
