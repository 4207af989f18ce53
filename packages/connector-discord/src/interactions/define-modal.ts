import { DISCORD_LIMITS } from "../message/limits.js";
import { assertComponentName, assertDefinition, assertLength } from "./check-definition.js";
import { assertCustomIdFits } from "./custom-id.js";
import type { ComponentHandling, Guarded } from "./handling.js";
import type { ModalInteraction } from "./interaction.js";
import type { ModalField, ModalFieldValues } from "./modal-fields.js";

/** A modal and the handler of its submission, made by {@link defineModal}. */
export type DiscordModal<
  Fields extends Readonly<Record<string, ModalField>> = Readonly<Record<string, ModalField>>,
  Param extends string = string,
> = {
  readonly kind: "modal";
  readonly name: string;
  readonly title: string;
  readonly fields: Fields;
  readonly params: readonly Param[];
} & Guarded &
  ComponentHandling<ModalInteraction<ModalFieldValues<Fields>, Param>>;

export type ModalDefinition<Fields extends Readonly<Record<string, ModalField>>, Param extends string> = {
  /** Part of the custom_id: 1 to 32 lower-case letters, digits, hyphens. */
  readonly name: string;
  /** At most 45 characters. */
  readonly title: string;
  /** 1 to 5, in the order shown. */
  readonly fields: Fields;
  /** The names of the values that travel from {@link showModal} to the handler. */
  readonly params?: readonly Param[];
} & Guarded &
  ComponentHandling<ModalInteraction<ModalFieldValues<Fields>, Param>>;

/**
 * Defines a modal. Open it with {@link showModal}; its definition belongs among the connector's `components`. What
 * was typed is checked against the fields before the handler sees it.
 *
 * Throws `invalid_definition` and `custom_id_too_long`.
 *
 * @example
 * const ticketModal = defineModal({
 *   name: "ticket",
 *   title: "Open a ticket",
 *   fields: { title: { kind: "text", label: "Title", maxLength: 200 } },
 *   answer: "deferred",
 *   run: async ({ id, fields }) => reply(`Ticket ${await desk.open(fields.title, { idempotencyKey: id })}`),
 * });
 */
export function defineModal<
  const Fields extends Readonly<Record<string, ModalField>>,
  const Param extends string = never,
>(definition: ModalDefinition<Fields, Param>): DiscordModal<Fields, Param> {
  const params = definition.params ?? [];
  assertComponentName("modal", definition.name);
  assertLength(`The title of the modal "${definition.name}"`, definition.title, DISCORD_LIMITS.modalTitle);
  assertCustomIdFits(
    "modal",
    definition.name,
    params.map(() => "x"),
  );
  const fields = Object.entries(definition.fields);
  assertDefinition(
    fields.length >= 1 && fields.length <= DISCORD_LIMITS.modalFields,
    `The modal "${definition.name}" has ${fields.length} fields; Discord takes 1 to ${DISCORD_LIMITS.modalFields}.`,
  );
  for (const [name, field] of fields) assertField(`The field "${name}" of the modal "${definition.name}"`, field);
  return { ...definition, kind: "modal", params };
}

function assertField(what: string, field: ModalField): void {
  assertLength(`${what}: its label`, field.label, DISCORD_LIMITS.label);
  if (field.description !== undefined) {
    assertLength(`${what}: its description`, field.description, DISCORD_LIMITS.labelDescription);
  }
  if (field.kind === "text") {
    const { minLength = 0, maxLength = DISCORD_LIMITS.textInput } = field;
    assertDefinition(
      minLength >= 0 && minLength <= maxLength && maxLength >= 1 && maxLength <= DISCORD_LIMITS.textInput,
      `${what}: a text has 0 to ${DISCORD_LIMITS.textInput} characters, and the least is not above the most.`,
    );
    return;
  }
  const values = new Set(field.options.map((option) => option.value));
  assertDefinition(
    field.options.length >= 1 && field.options.length <= DISCORD_LIMITS.selectOptions,
    `${what}: a select has 1 to ${DISCORD_LIMITS.selectOptions} options, not ${field.options.length}.`,
  );
  assertDefinition(values.size === field.options.length, `${what}: two options have the same value.`);
  for (const option of field.options) {
    assertLength(`${what}: an option's label`, option.label, DISCORD_LIMITS.selectOption);
    assertLength(`${what}: an option's value`, option.value, DISCORD_LIMITS.selectOption);
  }
}
