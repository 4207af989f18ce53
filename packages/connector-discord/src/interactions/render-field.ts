import { ChannelType, ComponentType, SelectMenuDefaultValueType, TextInputStyle } from "discord-api-types/v10";
import { cutText } from "../message/cut-text.js";
import { DISCORD_LIMITS } from "../message/limits.js";
import type { FieldPrefill } from "./answers.js";
import type { ChannelTypeName, ChoiceOption, EntityChoice } from "./choices.js";
import { fieldCount } from "./field-count.js";
import type { ModalField, TextField } from "./modal-fields.js";

const ENTITY_SELECTS = {
  users: { type: ComponentType.UserSelect, default: SelectMenuDefaultValueType.User },
  roles: { type: ComponentType.RoleSelect, default: SelectMenuDefaultValueType.Role },
  channels: { type: ComponentType.ChannelSelect, default: SelectMenuDefaultValueType.Channel },
  mentionables: { type: ComponentType.MentionableSelect, default: SelectMenuDefaultValueType.User },
} as const;

/** The component inside the label of a modal's field; `prefill` is what stands in it beforehand. */
export function renderField(name: string, field: ModalField, prefill: FieldPrefill | undefined) {
  const common = { custom_id: name, required: field.kind === "checkbox" ? undefined : (field.required ?? true) };
  switch (field.kind) {
    case "text":
      return { ...common, ...renderText(field, prefill) };
    case "checkbox":
      return {
        type: ComponentType.Checkbox,
        custom_id: name,
        default: typeof prefill === "boolean" ? prefill : (field.default ?? false),
      };
    case "radio":
      return { ...common, type: ComponentType.RadioGroup, options: renderOptions(field.options, listOf(prefill)) };
    case "select":
      return {
        ...common,
        type: ComponentType.StringSelect,
        ...countOf(field, { min: 1, max: 1 }),
        ...placeholderOf(field.placeholder),
        options: renderOptions(field.options, listOf(prefill)),
      };
    case "multi-select":
    case "checkboxes":
      return {
        ...common,
        type: field.kind === "checkboxes" ? ComponentType.CheckboxGroup : ComponentType.StringSelect,
        ...countOf(field, fieldCount(field)),
        ...("placeholder" in field ? placeholderOf(field.placeholder) : {}),
        options: renderOptions(field.options, listOf(prefill)),
      };
    case "file":
      return { ...common, type: ComponentType.FileUpload, ...countOf(field, fieldCount(field)) };
    default:
      return {
        ...common,
        ...countOf(field, fieldCount(field)),
        ...placeholderOf(field.placeholder),
        ...renderEntities(field.kind, { channelTypes: field.channelTypes, chosen: listOf(prefill) }),
      };
  }
}

function renderText(field: TextField, prefill: FieldPrefill | undefined) {
  const { maxLength = DISCORD_LIMITS.textInput } = field;
  return {
    type: ComponentType.TextInput,
    style: field.style === "paragraph" ? TextInputStyle.Paragraph : TextInputStyle.Short,
    max_length: maxLength,
    ...(field.minLength === undefined ? {} : { min_length: field.minLength }),
    ...placeholderOf(field.placeholder, DISCORD_LIMITS.placeholderText),
    ...(typeof prefill === "string" ? { value: cutText(prefill, maxLength) } : {}),
  };
}

/** Options of a menu or a group; `chosen` replaces what they say themselves. */
export function renderOptions(options: readonly ChoiceOption[], chosen: readonly string[] | undefined) {
  return options.map((option) => ({
    label: option.label,
    value: option.value,
    ...(option.description === undefined ? {} : { description: option.description }),
    default: chosen === undefined ? (option.default ?? false) : chosen.includes(option.value),
  }));
}

/** What tells Discord which of the server's things a menu offers, and which are chosen. */
export function renderEntities(
  choice: EntityChoice,
  given: {
    readonly channelTypes: readonly ChannelTypeName[] | undefined;
    readonly chosen: readonly string[] | undefined;
  },
) {
  const { type, default: kind } = ENTITY_SELECTS[choice];
  const { channelTypes = [], chosen = [] } = given;
  return {
    type,
    ...(choice === "channels" && channelTypes.length > 0
      ? { channel_types: channelTypes.map((name) => ChannelType[name]) }
      : {}),
    ...(chosen.length > 0 ? { default_values: chosen.map((id) => defaultValueOf(id, kind)) } : {}),
  };
}

/** Among mentionables a role says that it is one. */
function defaultValueOf(chosen: string, kind: SelectMenuDefaultValueType) {
  const role = /^role:(\d+)$/.exec(chosen)?.[1];
  return role === undefined ? { id: chosen, type: kind } : { id: role, type: SelectMenuDefaultValueType.Role };
}

export function placeholderOf(
  placeholder: string | null | undefined,
  limit: number = DISCORD_LIMITS.placeholderSelect,
) {
  return placeholder === undefined || placeholder === null ? {} : { placeholder: cutText(placeholder, limit) };
}

/** Discord takes an empty answer to an optional field only where the least is 0. */
function countOf(field: { readonly required?: boolean }, { min, max }: { readonly min: number; readonly max: number }) {
  return { min_values: field.required === false ? 0 : min, max_values: max };
}

function listOf(prefill: FieldPrefill | undefined): readonly string[] | undefined {
  if (prefill === undefined || typeof prefill === "boolean") return undefined;
  return typeof prefill === "string" ? [prefill] : prefill;
}
