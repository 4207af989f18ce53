import { DiscordSimulatorError } from "../errors.js";
import type { FileInput } from "./uploaded-file.js";

type Component = Readonly<Record<string, unknown>>;

/** What a person put into a modal: by custom_id or by label. Lists for selects, true or false for a checkbox, files. */
export type FieldValues = Readonly<Record<string, string | boolean | readonly string[] | readonly FileInput[]>>;

/** One input of a modal, as a person sees it. */
export interface ModalField {
  readonly customId: string;
  readonly label: string;
  readonly kind: "text" | "select" | "radio" | "checkboxes" | "checkbox" | "entities" | "file";
  readonly required: boolean;
  readonly value: string | null;
  readonly placeholder: string | null;
  /** Shortest text, where anything is written; null where it may be of any length. */
  readonly minLength: number | null;
  /** Longest text; null where there is none. */
  readonly maxLength: number | null;
  readonly multiline: boolean;
  /** The hint below the label. */
  readonly description: string | null;
  /** How many choices or files; 1 and 1 for the rest. */
  readonly minValues: number;
  readonly maxValues: number;
  /** Discord's number of the menu, for `entities`: 5 users, 6 roles, 7 both, 8 channels. */
  readonly entityType: number | null;
  /** What stands there at first: values, or ids of entities; `true` in it for a checkbox that is ticked. */
  readonly chosen: readonly string[];
  readonly options: readonly { readonly label: string; readonly value: string; readonly description: string | null }[];
}

const KINDS: Readonly<Record<number, ModalField["kind"]>> = {
  3: "select",
  4: "text",
  5: "entities",
  6: "entities",
  7: "entities",
  8: "entities",
  19: "file",
  21: "radio",
  22: "checkboxes",
  23: "checkbox",
};

/** The inputs of a modal, in order. */
export function modalFields(modal: Component): ModalField[] {
  return placedInputs(modal).map(({ input, label, description }) => ({
    customId: String(input.custom_id),
    label,
    kind: kindOf(input),
    required: isRequired(input),
    value: typeof input.value === "string" ? input.value : null,
    placeholder: typeof input.placeholder === "string" ? input.placeholder : null,
    minLength: typeof input.min_length === "number" ? input.min_length : null,
    maxLength: input.type === 4 ? Number(input.max_length ?? 4000) : null,
    multiline: input.type === 4 && input.style === 2,
    description,
    ...countOf(input),
    entityType: kindOf(input) === "entities" ? Number(input.type) : null,
    chosen: chosenOf(input),
    options: listOf(input.options).map(({ label: shown, value, description: hint }) => ({
      label: String(shown),
      value: String(value),
      description: typeof hint === "string" ? hint : null,
    })),
  }));
}

/** Turns names of people, roles and channels into ids, with Discord's `resolved` of them. */
export type ResolveEntities = (menu: Component, names: readonly string[]) => EntityChoice;

interface EntityChoice {
  readonly values: readonly string[];
  readonly resolved?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

interface SubmissionInput {
  readonly values: FieldValues;
  readonly resolveEntities: ResolveEntities;
  /** Keeps a file and answers Discord's attachment of it. */
  readonly upload: (file: FileInput) => Component;
}

/** Discord's `data` of a submitted modal, once the client has checked the values. */
export function modalSubmission(
  modal: Component,
  { values, resolveEntities, upload }: SubmissionInput,
): Record<string, unknown> {
  const resolved: Record<string, Record<string, unknown>> = {};
  const resolve: ResolveEntities = (menu, names) => {
    const choice = resolveEntities(menu, names);
    for (const [kind, found] of Object.entries(choice.resolved ?? {})) {
      resolved[kind] = { ...resolved[kind], ...found };
    }
    return choice;
  };
  const store = (file: FileInput): string => {
    const attachment = upload(file);
    const id = String(attachment.id);
    resolved.attachments = { ...resolved.attachments, [id]: attachment };
    return id;
  };
  const inputs = placedInputs(modal);
  const unknown = Object.keys(values).find((key) => !inputs.some((placed) => isMeant(placed, key)));
  if (unknown !== undefined) {
    throw new DiscordSimulatorError("invalid_field", `The modal has no field "${unknown}".`);
  }
  let next = 0;
  const submit = (component: Component): Record<string, unknown> => {
    next += 1;
    const id = (component.id as number | undefined) ?? next;
    if (component.type === 1) {
      return { type: 1, id, components: listOf(component.components).map(submit) };
    }
    if (component.type === 18) {
      return { type: 18, id, component: submit(component.component as Component) };
    }
    if (component.type === 10) {
      return { type: 10, id };
    }
    const placed = inputs.find(({ input }) => input === component);
    const given = Object.entries(values).find(([key]) => placed && isMeant(placed, key))?.[1];
    return {
      type: component.type,
      id,
      custom_id: component.custom_id,
      ...submitted(component, { given, label: placed?.label ?? "", resolve, store }),
    };
  };
  const components = listOf(modal.components).map(submit);
  return { custom_id: modal.custom_id, components, ...(Object.keys(resolved).length > 0 ? { resolved } : {}) };
}

interface PlacedInput {
  readonly input: Component;
  readonly label: string;
  readonly description: string | null;
}

function placedInputs(modal: Component): PlacedInput[] {
  return listOf(modal.components).flatMap((component): PlacedInput[] => {
    if (component.type === 18) {
      const description = typeof component.description === "string" ? component.description : null;
      return [{ input: component.component as Component, label: String(component.label), description }];
    }
    return listOf(component.components).map((input) => ({
      input,
      label: String(input.label ?? input.custom_id),
      description: null,
    }));
  });
}

function isMeant({ input, label }: PlacedInput, key: string): boolean {
  return input.custom_id === key || label === key;
}

interface Filling {
  readonly given: FieldValues[string] | undefined;
  readonly label: string;
  readonly resolve: ResolveEntities;
  readonly store: (file: FileInput) => string;
}

function submitted(input: Component, { given, label, resolve, store }: Filling): Record<string, unknown> {
  const kind = kindOf(input);
  if (kind === "file") {
    const files = filesOf(given, label);
    demandCount(input, { label, count: files.length, of: "files" });
    return { values: files.map(store) };
  }
  if (kind === "entities") {
    const names = given === undefined ? [...chosenOf(input)] : [given].flat().map(String);
    return { values: names.length === 0 && !isRequired(input) ? [] : resolve(input, names).values };
  }
  if (kind === "text") {
    return { value: checkedText(input, given ?? input.value ?? "", label) };
  }
  if (kind === "checkbox") {
    return { value: typeof given === "boolean" ? given : input.default === true };
  }
  const defaults = listOf(input.options).filter((option) => option.default === true);
  const chosen = given === undefined ? defaults.map(({ value }) => String(value)) : [given].flat().map(String);
  const picked = chosen.map((choice) => {
    const option = optionsOf(input).find(({ value, label: shown }) => value === choice || shown === choice);
    if (!option) {
      throw new DiscordSimulatorError("invalid_choice", `"${label}" offers no "${choice}".`);
    }
    return option.value;
  });
  demandCount(input, { label, count: picked.length, of: "choices" });
  return kind === "radio" ? { value: picked[0] ?? null } : { values: picked };
}

function demandCount(
  input: Component,
  { label, count, of }: { readonly label: string; readonly count: number; readonly of: "choices" | "files" },
): void {
  const { minValues: min, maxValues: max } = countOf(input);
  if ((isRequired(input) || count > 0) && (count < min || count > max)) {
    const code = of === "files" ? "invalid_field" : "invalid_choice";
    throw new DiscordSimulatorError(code, `"${label}" takes ${min} to ${max} ${of}.`);
  }
}

function countOf(input: Component): { readonly minValues: number; readonly maxValues: number } {
  const kind = kindOf(input);
  if (kind === "radio" || kind === "text" || kind === "checkbox") {
    return { minValues: isRequired(input) ? 1 : 0, maxValues: 1 };
  }
  return {
    minValues: Number(input.min_values ?? (isRequired(input) ? 1 : 0)),
    maxValues: Number(input.max_values ?? (kind === "checkboxes" ? optionsOf(input).length : 1)),
  };
}

function chosenOf(input: Component): readonly string[] {
  if (kindOf(input) === "checkbox") {
    return input.default === true ? ["true"] : [];
  }
  const options = listOf(input.options).filter((option) => option.default === true);
  return [...options.map(({ value }) => String(value)), ...listOf(input.default_values).map(({ id }) => String(id))];
}

function filesOf(given: FieldValues[string] | undefined, label: string): readonly FileInput[] {
  const files = Array.isArray(given) ? (given as readonly (string | FileInput)[]) : given === undefined ? [] : [given];
  return files.map((file) => {
    if (typeof file === "object" && "base64" in file) {
      return file;
    }
    throw new DiscordSimulatorError("invalid_field", `"${label}" takes files: { filename, base64 }.`);
  });
}

function checkedText(input: Component, given: unknown, label: string): string {
  const text = String(given);
  const max = Number(input.max_length ?? 4000);
  const min = Number(input.min_length ?? 0);
  if (text === "" && isRequired(input)) {
    throw new DiscordSimulatorError("invalid_field", `"${label}" is required.`);
  }
  if (text.length > max || (text !== "" && text.length < min)) {
    throw new DiscordSimulatorError("invalid_field", `"${label}" takes ${min} to ${max} characters.`);
  }
  return text;
}

function kindOf(input: Component): ModalField["kind"] {
  const kind = KINDS[Number(input.type)];
  if (!kind) {
    throw new DiscordSimulatorError("invalid_field", `A field of type ${String(input.type)} cannot be filled in here.`);
  }
  return kind;
}

function isRequired(input: Component): boolean {
  return input.required !== false && input.type !== 23;
}

function optionsOf(input: Component): { label: string; value: string }[] {
  return listOf(input.options).map(({ label, value }) => ({ label: String(label), value: String(value) }));
}

function listOf(value: unknown): Component[] {
  return Array.isArray(value) ? (value as Component[]) : [];
}
