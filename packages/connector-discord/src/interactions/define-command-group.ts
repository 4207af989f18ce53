import { DISCORD_LIMITS } from "../message/limits.js";
import { assertDefinition, assertLength } from "./check-definition.js";
import { assertPermissions } from "./check-guarded.js";
import { COMMAND_NAME } from "./check-options.js";
import type { DiscordCommand } from "./define-command.js";
import type { PermissionName } from "./requirement.js";

/** A slash command with subcommands, such as `/desk open` and `/desk close`, made by {@link defineCommandGroup}. */
export interface DiscordCommandGroup {
  readonly kind: "command-group";
  readonly name: string;
  readonly description: string;
  readonly visibleTo: readonly PermissionName[] | null;
  /** Each with the group's name before its own: `desk open`. */
  readonly subcommands: readonly DiscordCommand[];
}

export interface CommandGroupDefinition {
  /** Without the slash: 1 to 32 lower-case letters, digits, hyphens, underscores. */
  readonly name: string;
  /** At most 100 characters. */
  readonly description: string;
  /** 1 to 25, made by `defineCommand`. Discord shows a group as a whole or not at all, so none has a `visibleTo`. */
  // biome-ignore lint/suspicious/noExplicitAny: each subcommand knows its own options
  readonly subcommands: readonly DiscordCommand<any>[];
  /** Who sees the group, until a server's administrators decide otherwise; everybody when absent. */
  readonly visibleTo?: readonly PermissionName[];
}

/**
 * Defines a slash command with subcommands, for the connector's `commands`; one level, as `/desk open`. What a
 * subcommand requires, its cool-down and its answer are its own.
 *
 * Throws `invalid_definition`.
 *
 * @example
 * const desk = defineCommandGroup({
 *   name: "desk",
 *   description: "The support desk",
 *   subcommands: [
 *     defineCommand({ name: "hours", description: "When it is open", answer: "immediate", run: () => reply("9 to 5") }),
 *   ],
 * });
 */
export function defineCommandGroup(definition: CommandGroupDefinition): DiscordCommandGroup {
  const { name, description, subcommands, visibleTo = null } = definition;
  assertDefinition(COMMAND_NAME.test(name), `A group of commands can't be called "${name}".`);
  assertLength(`The description of /${name}`, description, DISCORD_LIMITS.commandDescription);
  assertDefinition(
    subcommands.length >= 1 && subcommands.length <= DISCORD_LIMITS.commandOptions,
    `/${name} has ${subcommands.length} subcommands; Discord takes 1 to ${DISCORD_LIMITS.commandOptions}.`,
  );
  assertPermissions(`The command-group "${name}"`, visibleTo);
  const names = new Set(subcommands.map((subcommand) => subcommand.name));
  assertDefinition(names.size === subcommands.length, `/${name}: two subcommands have the same name.`);
  for (const subcommand of subcommands) {
    assertDefinition(
      COMMAND_NAME.test(subcommand.name) && subcommand.visibleTo === null,
      `/${name} ${subcommand.name}: a subcommand belongs to one group, and has no visibleTo of its own.`,
    );
  }
  return {
    kind: "command-group",
    name,
    description,
    visibleTo,
    subcommands: subcommands.map((subcommand) => ({ ...subcommand, name: `${name} ${subcommand.name}` })),
  };
}
