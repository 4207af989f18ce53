/** One field of a modal. */
export type ModalField = TextField | SelectField;

export interface TextField {
  readonly kind: "text";
  /** At most 45 characters. */
  readonly label: string;
  /** A hint below the label, at most 100 characters. */
  readonly description?: string;
  /** `short` when absent: one line. */
  readonly style?: "short" | "paragraph";
  /** True when absent. */
  readonly required?: boolean;
  readonly minLength?: number;
  /** At most 4,000, which is also meant when absent. */
  readonly maxLength?: number;
  readonly placeholder?: string;
}

export interface SelectField {
  readonly kind: "select";
  readonly label: string;
  readonly description?: string;
  readonly required?: boolean;
  readonly placeholder?: string;
  /** 1 to 25. */
  readonly options: readonly SelectFieldOption[];
}

export interface SelectFieldOption {
  readonly label: string;
  readonly value: string;
  readonly description?: string;
  /** Chosen beforehand. */
  readonly default?: boolean;
}

/** A text, or a select's value; null for an optional field that was left empty. */
export type ModalFieldValues<Fields extends Readonly<Record<string, ModalField>>> = {
  readonly [Name in keyof Fields]: Fields[Name]["required"] extends false ? string | null : string;
};
