import { assertComponentName } from "./check-definition.js";
import { assertGuarded } from "./check-guarded.js";
import { assertCustomIdFits } from "./custom-id.js";
import type { ComponentHandling, Guarded } from "./handling.js";
import type { ButtonInteraction } from "./interaction.js";

/** A button and its handler, made by {@link defineButton}. */
export type DiscordButton<Param extends string = string> = {
  readonly kind: "button";
  readonly name: string;
  readonly params: readonly Param[];
} & Guarded &
  ComponentHandling<ButtonInteraction<Param>>;

export type ButtonDefinition<Param extends string> = {
  /** Part of each custom_id: 1 to 32 lower-case letters, digits, hyphens. Buttons on old messages keep it. */
  readonly name: string;
  /** The names of the values that each button carries. Everybody can read them. */
  readonly params?: readonly Param[];
} & Guarded &
  ComponentHandling<ButtonInteraction<Param>>;

/**
 * Defines a button. Put it into a message with {@link button}, and its definition among the connector's `components`.
 *
 * Throws `invalid_definition` and `custom_id_too_long`.
 *
 * @example
 * const approve = defineButton({
 *   name: "machine-approve",
 *   params: ["machineId"],
 *   requires: ["ManageGuild"],
 *   answer: "deferred-update",
 *   run: async ({ params }) => updateMessage({ content: await machines.approve(params.machineId), buttons: [] }),
 * });
 */
export function defineButton<const Param extends string = never>(
  definition: ButtonDefinition<Param>,
): DiscordButton<Param> {
  assertComponentName("button", definition.name);
  const params = definition.params ?? [];
  assertCustomIdFits(
    "button",
    definition.name,
    params.map(() => "x"),
  );
  const made = { ...definition, kind: "button", params } as const;
  assertGuarded(made);
  return made;
}
