import { OverwriteType, PermissionFlagsBits } from "discord-api-types/v10";
import type { ChannelState, GuildState, MemberState, World } from "./model.js";

/** Such as `SendMessages`. */
export type PermissionName = keyof typeof PermissionFlagsBits;

const ALL = Object.values(PermissionFlagsBits).reduce((all, bit) => all | bit, 0n);

/**
 * What a member may do in a channel, or in the guild when `channel` is null.
 *
 * @see https://discord.com/developers/docs/topics/permissions#permission-overwrites
 */
export function permissionsOf(guild: GuildState, member: MemberState, channel: ChannelState | null): bigint {
  if (guild.ownerId === member.user.id) {
    return ALL;
  }
  const roleIds = [guild.id, ...member.roles];
  let permissions = 0n;
  for (const roleId of roleIds) {
    permissions |= BigInt(guild.roles.get(roleId)?.permissions ?? "0");
  }
  if (permissions & PermissionFlagsBits.Administrator) {
    return ALL;
  }
  const overwrites = effectiveOverwrites(guild, channel);
  const everyone = overwrites.find((overwrite) => overwrite.id === guild.id);
  if (everyone) {
    permissions = (permissions & ~BigInt(everyone.deny)) | BigInt(everyone.allow);
  }
  let allow = 0n;
  let deny = 0n;
  for (const overwrite of overwrites) {
    if (overwrite.type === OverwriteType.Role && overwrite.id !== guild.id && member.roles.includes(overwrite.id)) {
      allow |= BigInt(overwrite.allow);
      deny |= BigInt(overwrite.deny);
    }
  }
  permissions = (permissions & ~deny) | allow;
  const own = overwrites.find(
    (overwrite) => overwrite.type === OverwriteType.Member && overwrite.id === member.user.id,
  );
  return own ? (permissions & ~BigInt(own.deny)) | BigInt(own.allow) : permissions;
}

function effectiveOverwrites(guild: GuildState, channel: ChannelState | null) {
  const owner = channel?.parentId ? guild.channels.get(channel.parentId) : channel;
  return owner?.overwrites ?? [];
}

export function hasPermission(permissions: bigint, wanted: bigint): boolean {
  return (permissions & wanted) === wanted;
}

/** The place of a member's highest role: members act only on what stands below. */
export function highestRolePosition(guild: GuildState, member: MemberState): number {
  return Math.max(0, ...member.roles.map((roleId) => guild.roles.get(roleId)?.position ?? 0));
}

/** What the bot may do in a channel: everything in a direct message. */
export function botPermissions(world: World, channel: ChannelState): bigint {
  if (!channel.guildId) {
    return ALL;
  }
  const guild = world.guilds.get(channel.guildId);
  const bot = guild?.members.get(world.application.bot.id);
  return guild && bot ? permissionsOf(guild, bot, channel) : 0n;
}
