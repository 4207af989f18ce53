import { DISCORD_LIMITS } from "../message/limits.js";
import { assertDefinition, assertLength } from "./check-definition.js";
import { assertGuarded } from "./check-guarded.js";
import { assertOptions, COMMAND_NAME } from "./check-options.js";
import type { CommandOptions, CommandOptionValues } from "./command-options.js";
import type { CommandHandling, Guarded } from "./handling.js";
import type { CommandInteraction } from "./interaction.js";
import type { PermissionName } from "./requirement.js";

/** A slash command and its handler, made by {@link defineCommand}. */
export type DiscordCommand<Options extends CommandOptions = CommandOptions> = {
  readonly kind: "command";
  readonly name: string;
  readonly description: string;
  readonly options: Options;
  readonly visibleTo: readonly PermissionName[] | null;
} & Guarded &
  CommandHandling<CommandInteraction<CommandOptionValues<Options>>>;

export type CommandDefinition<Options extends CommandOptions> = {
  /** Without the slash: 1 to 32 lower-case letters, digits, hyphens, underscores. */
  readonly name: string;
  /** At most 100 characters. */
  readonly description: string;
  /** In the order shown; required ones first. */
  readonly options?: Options;
  /** Who sees the command, until a server's administrators decide otherwise; everybody when absent. `requires` is checked in any case. */
  readonly visibleTo?: readonly PermissionName[];
} & Guarded &
  CommandHandling<CommandInteraction<CommandOptionValues<Options>>>;

/**
 * Defines a slash command for the connector's `commands`. Throws `invalid_definition`.
 *
 * @example
 * const ticket = defineCommand({
 *   name: "ticket",
 *   description: "Open a ticket",
 *   answer: "immediate",
 *   run: () => showModal(ticketModal),
 * });
 */
export function defineCommand<const Options extends CommandOptions = CommandOptions>(
  definition: CommandDefinition<Options>,
): DiscordCommand<Options> {
  const options = definition.options ?? ({} as Options);
  assertDefinition(
    COMMAND_NAME.test(definition.name),
    `The name of a command is 1 to 32 lower-case letters, digits, hyphens and underscores, not "${definition.name}".`,
  );
  assertLength(`The description of /${definition.name}`, definition.description, DISCORD_LIMITS.commandDescription);
  assertOptions(definition.name, options);
  const made = { ...definition, kind: "command", options, visibleTo: definition.visibleTo ?? null } as const;
  assertGuarded(made);
  return made;
}
