import type { CommandState, GuildState, MessageState, UserState } from "../world/model.js";
import { memberWithoutUser, messagePayload } from "../world/payloads.js";

interface ContextTarget {
  readonly command: CommandState;
  readonly guild: GuildState | null;
}

/** Discord's `data` of a command from a member's menu. */
export function userCommandData({ command, guild }: ContextTarget, { user }: UserState): Record<string, unknown> {
  const member = guild?.members.get(user.id);
  return {
    ...basics(command, guild),
    target_id: user.id,
    resolved: {
      users: { [user.id]: user },
      ...(member ? { members: { [user.id]: memberWithoutUser(member) } } : {}),
    },
  };
}

/** Discord's `data` of a command from a message's menu. */
export function messageCommandData({ command, guild }: ContextTarget, stored: MessageState): Record<string, unknown> {
  const { id } = stored.message;
  // Whoever looks, Discord sends the message without their reactions marked.
  return { ...basics(command, guild), target_id: id, resolved: { messages: { [id]: messagePayload(stored, "") } } };
}

function basics({ command, guildId }: CommandState, guild: GuildState | null) {
  const { id, name, type } = command;
  return { id, name, type, ...(guildId && guild ? { guild_id: guild.id } : {}) };
}
