import { DISCORD_LIMITS } from "../message/limits.js";
import { assertChoiceOptions, assertCount } from "./check-choices.js";
import { assertComponentName, assertLength } from "./check-definition.js";
import { assertGuarded } from "./check-guarded.js";
import type { ChannelTypeName, ChoiceOption, ChosenItems, SelectChoice } from "./choices.js";
import { assertCustomIdFits } from "./custom-id.js";
import type { ComponentHandling, Guarded } from "./handling.js";
import type { SelectInteraction } from "./interaction.js";

/** A menu and its handler, made by {@link defineSelect}. */
export type DiscordSelect<
  Choice extends SelectChoice = SelectChoice,
  Param extends string = string,
  Min extends number = number,
> = {
  readonly kind: "select";
  readonly name: string;
  readonly params: readonly Param[];
  readonly choose: Choice;
  readonly placeholder: string | null;
  readonly minValues: Min;
  readonly maxValues: number;
  readonly channelTypes: readonly ChannelTypeName[];
} & Guarded &
  ComponentHandling<SelectInteraction<ChosenItems<Choice, Min>, Param>>;

export type SelectDefinition<Choice extends SelectChoice, Param extends string, Min extends number> = {
  /** Part of each custom_id: 1 to 32 lower-case letters, digits, hyphens. Menus on old messages keep it. */
  readonly name: string;
  /** The names of the values that each menu carries. Everybody can read them. */
  readonly params?: readonly Param[];
  /** 1 to 25 options with values of their own, a function that offers some, or what the server has. */
  readonly choose: Choice;
  /** At most 150 characters. */
  readonly placeholder?: string;
  /** 0 to 25; 1 when absent. */
  readonly minValues?: Min;
  /** 1 to 25; 1 when absent. */
  readonly maxValues?: number;
  /** For `channels`: only these; all when absent. */
  readonly channelTypes?: readonly ChannelTypeName[];
} & Guarded &
  ComponentHandling<SelectInteraction<ChosenItems<Choice, Min>, Param>>;

/**
 * Defines a menu. Put it into a message with {@link select}, and its definition among the connector's `components`. What
 * was chosen is checked against the definition before the handler sees it: `values` are those of the options, or users,
 * roles and channels with their names. A menu whose options a function offers can be shown in answers to interactions
 * only, and is left out where it offers nothing.
 *
 * Throws `invalid_definition` and `custom_id_too_long`.
 *
 * @example
 * const priority = defineSelect({
 *   name: "ticket-priority",
 *   params: ["ticketId"],
 *   choose: [{ label: "Low", value: "low" }, { label: "High", value: "high" }],
 *   answer: "immediate",
 *   run: async ({ params, values: [level] }) => updateMessage(await desk.setPriority(params.ticketId, level)),
 * });
 */
export function defineSelect<
  const Choice extends SelectChoice,
  const Param extends string = never,
  const Min extends number = 1,
>(definition: SelectDefinition<Choice, Param, Min>): DiscordSelect<Choice, Param, Min> {
  const { name, choose, placeholder = null, maxValues = 1, params = [], channelTypes = [] } = definition;
  const what = `The select "${name}"`;
  assertComponentName("select", name);
  if (placeholder !== null) assertLength(`${what}: its placeholder`, placeholder, DISCORD_LIMITS.placeholderSelect);
  const minValues = definition.minValues ?? (1 as Min);
  const fixed: readonly ChoiceOption[] | null = typeof choose === "object" ? choose : null;
  if (fixed) assertChoiceOptions(what, fixed, { most: DISCORD_LIMITS.selectOptions });
  const most = fixed?.length ?? DISCORD_LIMITS.selectOptions;
  assertCount(what, { minValues, maxValues }, most);
  const made = { ...definition, kind: "select", params, placeholder, minValues, maxValues, channelTypes } as const;
  assertGuarded(made);
  assertCustomIdFits(
    "select",
    name,
    params.map(() => "x"),
  );
  return made;
}
