import type { Context } from "hono";
import type { Simulation } from "../simulation.js";
import type { ChannelState, GuildState, MemberState, MessageState } from "../world/model.js";
import { botPermissions, hasPermission, permissionsOf } from "../world/permissions.js";
import type { Body } from "./payload-check.js";
import { REFUSALS, refuse, refuseFields } from "./refusal.js";

/** The JSON object of a request; throws 50109 and 50035. An empty body is an empty object. */
export async function readBody(c: Context): Promise<Body> {
  const text = await c.req.text();
  if (text.trim() === "") {
    return {};
  }
  const value = parseJson(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw refuseFields([
      { path: [], code: "DICT_TYPE_CONVERT", message: "Only dictionaries may be used in a DictType" },
    ]);
  }
  return value as Body;
}

/** A request whose body is a list. */
export async function readList(c: Context): Promise<Body[]> {
  const value = parseJson(await c.req.text());
  if (!Array.isArray(value)) {
    throw refuseFields([{ path: [], code: "LIST_TYPE_CONVERT", message: "Only iterables may be used in a ListType" }]);
  }
  return value as Body[];
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refuse(REFUSALS.invalidJson);
  }
}

/** A channel that the bot may see. */
export function channelOf({ world }: Simulation, id: string): ChannelState {
  const channel = world.channels.get(id);
  if (!channel) {
    throw refuse(REFUSALS.unknownChannel);
  }
  return channel;
}

export function guildOf({ world }: Simulation, id: string): GuildState {
  const guild = world.guilds.get(id);
  if (!guild?.members.has(world.application.bot.id)) {
    throw refuse(REFUSALS.unknownGuild);
  }
  return guild;
}

export function memberOf(guild: GuildState, userId: string): MemberState {
  const member = guild.members.get(userId);
  if (!member) {
    throw refuse(REFUSALS.unknownMember);
  }
  return member;
}

/** A message that is not somebody's private answer. */
export function messageOf(channel: ChannelState, id: string): MessageState {
  const stored = channel.messages.get(id);
  if (!stored || stored.visibleTo !== null) {
    throw refuse(REFUSALS.unknownMessage);
  }
  return stored;
}

/** 50001 when the bot cannot see the channel, 50013 when it lacks the permission. */
export function demand({ world }: Simulation, channel: ChannelState, permission: bigint): void {
  const permissions = botPermissions(world, channel);
  if (!hasPermission(permissions, VIEW_CHANNEL)) {
    throw refuse(REFUSALS.missingAccess);
  }
  if (!hasPermission(permissions, permission)) {
    throw refuse(REFUSALS.missingPermissions);
  }
}

const VIEW_CHANNEL = 1n << 10n;

export function demandInGuild({ world }: Simulation, guild: GuildState, permission: bigint): void {
  const bot = memberOf(guild, world.application.bot.id);
  if (!hasPermission(permissionsOf(guild, bot, null), permission)) {
    throw refuse(REFUSALS.missingPermissions);
  }
}
