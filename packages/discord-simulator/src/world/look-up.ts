import type { APIRole } from "discord-api-types/v10";
import { DiscordSimulatorError } from "../errors.js";
import type { ChannelState, GuildState, MemberState, MessageState, UserState, World } from "./model.js";

/** The guild with this id or name; without one, the first. */
export function findGuild(world: World, guild?: string): GuildState {
  const found = guild
    ? (world.guilds.get(guild) ?? [...world.guilds.values()].find(({ name }) => name === guild))
    : [...world.guilds.values()][0];
  if (!found) {
    throw new DiscordSimulatorError("unknown_guild", `There is no guild "${guild ?? ""}".`);
  }
  return found;
}

/** The channel with this id, or `general`, `#general` of a guild. */
export function findChannel(world: World, channel: string, guild?: string): ChannelState {
  const byId = world.channels.get(channel);
  if (byId) {
    return byId;
  }
  const name = channel.replace(/^#/, "");
  const found = [...findGuild(world, guild).channels.values()].find((candidate) => candidate.name === name);
  if (!found) {
    throw new DiscordSimulatorError("unknown_channel", `There is no channel "${channel}".`);
  }
  return found;
}

/** The user with this id or username. */
export function findUser(world: World, user: string): UserState {
  const found =
    world.users.get(user) ?? [...world.users.values()].find((candidate) => candidate.user.username === user);
  if (!found) {
    throw new DiscordSimulatorError("unknown_member", `There is no user "${user}".`);
  }
  return found;
}

export function findMember(guild: GuildState, user: UserState): MemberState {
  const member = guild.members.get(user.user.id);
  if (!member) {
    throw new DiscordSimulatorError("not_a_member", `${user.user.username} is not a member of ${guild.name}.`);
  }
  return member;
}

export function findRole(guild: GuildState, role: string): APIRole {
  const found = guild.roles.get(role) ?? [...guild.roles.values()].find(({ name }) => name === role);
  if (!found) {
    throw new DiscordSimulatorError("unknown_role", `There is no role "${role}" in ${guild.name}.`);
  }
  return found;
}

export function findMessage(world: World, messageId: string): { channel: ChannelState; stored: MessageState } {
  for (const channel of world.channels.values()) {
    const stored = channel.messages.get(messageId);
    if (stored) {
      return { channel, stored };
    }
  }
  throw new DiscordSimulatorError("unknown_message", `There is no message ${messageId}.`);
}
