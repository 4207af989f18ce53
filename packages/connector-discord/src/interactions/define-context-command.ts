import { DISCORD_LIMITS } from "../message/limits.js";
import { assertLength } from "./check-definition.js";
import { assertGuarded } from "./check-guarded.js";
import type { CommandHandling, Guarded } from "./handling.js";
import type { MessageCommandInteraction, UserCommandInteraction } from "./interaction.js";
import type { PermissionName } from "./requirement.js";

/** A command in the menu of a member, made by {@link defineUserCommand}. */
export type DiscordUserCommand = ContextCommand<"user-command"> & CommandHandling<UserCommandInteraction>;

/** A command in the menu of a message, made by {@link defineMessageCommand}. */
export type DiscordMessageCommand = ContextCommand<"message-command"> & CommandHandling<MessageCommandInteraction>;

type ContextCommand<Kind> = {
  readonly kind: Kind;
  readonly name: string;
  readonly visibleTo: readonly PermissionName[] | null;
} & Guarded;

export type ContextCommandDefinition<Interaction> = {
  /** As the menu shows it: 1 to 32 characters, with capital letters and spaces as you like. */
  readonly name: string;
  /** Who sees the command, until a server's administrators decide otherwise; everybody when absent. `requires` is checked in any case. */
  readonly visibleTo?: readonly PermissionName[];
} & Guarded &
  CommandHandling<Interaction>;

/**
 * Defines a command of a member's menu, for the connector's `commands`. Throws `invalid_definition`.
 *
 * @example
 * const tickets = defineUserCommand({
 *   name: "Show tickets",
 *   answer: "deferred",
 *   run: async ({ target }) => reply(await desk.ticketsOf(target.id)),
 * });
 */
export function defineUserCommand(definition: ContextCommandDefinition<UserCommandInteraction>): DiscordUserCommand {
  const made = { ...definition, kind: "user-command", visibleTo: definition.visibleTo ?? null } as const;
  assertContextCommand(made);
  return made;
}

/**
 * Defines a command of a message's menu, for the connector's `commands`. Throws `invalid_definition`.
 *
 * @example
 * const ticketFrom = defineMessageCommand({
 *   name: "Open a ticket",
 *   answer: "immediate",
 *   run: ({ target }) => showModal(ticketModal, { values: { description: target.content } }),
 * });
 */
export function defineMessageCommand(
  definition: ContextCommandDefinition<MessageCommandInteraction>,
): DiscordMessageCommand {
  const made = { ...definition, kind: "message-command", visibleTo: definition.visibleTo ?? null } as const;
  assertContextCommand(made);
  return made;
}

function assertContextCommand(command: ContextCommand<string>): void {
  assertLength(`The name of the ${command.kind} "${command.name}"`, command.name, DISCORD_LIMITS.commandName);
  assertGuarded(command);
}
