import { DISCORD_LIMITS } from "../message/limits.js";
import { assertChoiceOptions, assertCount } from "./check-choices.js";
import { assertComponentName, assertDefinition, assertLength } from "./check-definition.js";
import { assertGuarded } from "./check-guarded.js";
import { assertCustomIdFits } from "./custom-id.js";
import { fieldCount } from "./field-count.js";
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
  const made = { ...definition, kind: "modal", params } as const;
  assertGuarded(made);
  return made;
}

function assertField(what: string, field: ModalField): void {
  assertLength(`${what}: its label`, field.label, DISCORD_LIMITS.label);
  if (field.description !== undefined) {
    assertLength(`${what}: its description`, field.description, DISCORD_LIMITS.labelDescription);
  }
  switch (field.kind) {
    case "text": {
      const { minLength = 0, maxLength = DISCORD_LIMITS.textInput } = field;
      assertDefinition(
        minLength >= 0 && minLength <= maxLength && maxLength >= 1 && maxLength <= DISCORD_LIMITS.textInput,
        `${what}: a text has 0 to ${DISCORD_LIMITS.textInput} characters, and the least is not above the most.`,
      );
      break;
    }
    case "checkbox":
      break;
    case "select":
      assertChoiceOptions(what, field.options, { most: DISCORD_LIMITS.selectOptions });
      break;
    case "radio":
      assertChoiceOptions(what, field.options, { least: 2, most: DISCORD_LIMITS.radioOptions });
      break;
    default: {
      const { min: minValues, max: maxValues, most } = fieldCount(field);
      if ("options" in field) {
        const mostOptions = field.kind === "checkboxes" ? DISCORD_LIMITS.checkboxOptions : DISCORD_LIMITS.selectOptions;
        assertChoiceOptions(what, field.options, { most: mostOptions });
      }
      assertCount(what, { minValues, maxValues }, most);
    }
  }
}
