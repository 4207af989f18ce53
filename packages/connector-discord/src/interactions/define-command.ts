import { DISCORD_LIMITS } from "../message/limits.js";
import { assertDefinition, assertLength } from "./check-definition.js";
import type { CommandOption, CommandOptions, CommandOptionValues } from "./command-options.js";
import { assertCooldown } from "./cooldown.js";
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

/** Of commands, subcommands and options. */
export const COMMAND_NAME = /^[a-z0-9_-]{1,32}$/;

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
  assertOptions(definition.name, Object.entries(options));
  const made = { ...definition, kind: "command", options, visibleTo: definition.visibleTo ?? null } as const;
  assertCooldown(made);
  return made;
}

function assertOptions(command: string, options: readonly (readonly [string, CommandOption])[]): void {
  assertDefinition(
    options.length <= DISCORD_LIMITS.commandOptions,
    `/${command} has ${options.length} options; Discord takes ${DISCORD_LIMITS.commandOptions}.`,
  );
  let optionalSeen = false;
  for (const [name, option] of options) {
    assertDefinition(COMMAND_NAME.test(name), `/${command}: an option can't be called "${name}".`);
    assertLength(`The description of "${name}" of /${command}`, option.description, DISCORD_LIMITS.commandDescription);
    assertDefinition(
      !(optionalSeen && option.required === true),
      `/${command}: the required option "${name}" stands behind an optional one.`,
    );
    assertDefinition(
      !("autocomplete" in option && option.choices),
      `/${command}: the option "${name}" has either choices or autocomplete.`,
    );
    optionalSeen ||= option.required !== true;
  }
}
