import { cutText } from "../message/cut-text.js";
import { DISCORD_LIMITS } from "../message/limits.js";
import { calledCommand } from "./called-command.js";
import type { CommandChoice, CommandOption } from "./command-options.js";
import type { DiscordCommand } from "./define-command.js";
import type { AutocompleteInteraction, DiscordInteraction } from "./interaction.js";
import { commandDataSchema } from "./payload.js";

/** An option that offers choices while it is typed. */
export interface Autocompletion {
  readonly definition: DiscordCommand;
  readonly interaction: AutocompleteInteraction;
  /** At most 25 that Discord takes. */
  choices(): Promise<readonly CommandChoice[]>;
}

/** The option that is being typed; null where it offers nothing. */
export function findAutocompletion(
  payloadData: unknown,
  base: DiscordInteraction,
  commandOf: (name: string) => DiscordCommand | undefined,
): Autocompletion | null {
  const parsed = commandDataSchema.safeParse(payloadData).data;
  const data = parsed && calledCommand(parsed);
  const definition = data && commandOf(data.name);
  const focused = data?.options.find((option) => option.focused === true);
  const option = focused && Object.hasOwn(definition?.options ?? {}, focused.name) && definition?.options[focused.name];
  if (!data || !definition || !focused || !option || !("autocomplete" in option)) return null;
  const others = data.options.flatMap(({ name, value }) =>
    name === focused.name || value === undefined ? [] : [[name, value] as const],
  );
  const interaction = { ...base, value: String(focused.value ?? ""), options: Object.fromEntries(others) };
  return {
    definition,
    interaction,
    choices: async () => fitting(option, (await option.autocomplete?.(interaction)) ?? []),
  };
}

/** One choice that Discord refuses would cost all of them. */
function fitting(option: CommandOption, choices: readonly CommandChoice[]): readonly CommandChoice[] {
  const fits = (value: string | number) => {
    if (option.type === "string") return typeof value === "string" && isShort(value);
    return typeof value === "number" && (option.type === "number" ? Number.isFinite(value) : Number.isInteger(value));
  };
  return choices
    .filter(({ name, value }) => name.trim() !== "" && fits(value))
    .slice(0, DISCORD_LIMITS.commandChoices)
    .map(({ name, value }) => ({ name: cutText(name, DISCORD_LIMITS.commandChoice), value }));
}

function isShort(value: string): boolean {
  return value.length >= 1 && value.length <= DISCORD_LIMITS.commandChoice;
}
