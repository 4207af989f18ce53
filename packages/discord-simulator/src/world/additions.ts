import { OverwriteType, PermissionFlagsBits } from "discord-api-types/v10";
import { DiscordSimulatorError } from "../errors.js";
import type { Simulation } from "../simulation.js";
import { findGuild, findRole } from "./look-up.js";
import type { GuildState, UserState } from "./model.js";
import { channelPayload, guildCreatePayload } from "./payloads.js";
import type { PermissionName } from "./permissions.js";
import { makeChannel, makeRole, makeUser } from "./records.js";

interface MemberInput {
  readonly username: string;
  readonly displayName?: string | undefined;
  readonly email?: string | undefined;
  readonly roles?: readonly string[] | undefined;
  readonly guild?: string | undefined;
  readonly joined?: boolean | undefined;
}

/** A new person; in the guild from the start, so nobody is told, unless `joined` is false and they join later. */
export function addMember(simulation: Simulation, input: MemberInput): { id: string } {
  const { world, snowflake, now } = simulation;
  if ([...world.users.values()].some(({ user }) => user.username === input.username)) {
    throw new DiscordSimulatorError("invalid_input", `The name ${input.username} is taken.`);
  }
  const guild = findGuild(world, input.guild);
  const roles = (input.roles ?? []).map((role) => findRole(guild, role).id);
  const state: UserState = {
    user: makeUser({ id: snowflake(), username: input.username, globalName: input.displayName }),
    email: input.email ?? `${input.username}@example.com`,
    presence: { status: "online", activities: [] },
  };
  world.users.set(state.user.id, state);
  if (input.joined !== false) {
    const member = { user: state.user, nick: null, roles, joinedAt: new Date(now()).toISOString() };
    guild.members.set(state.user.id, member);
  }
  return { id: state.user.id };
}

export const CHANNEL_TYPES = { text: 0, voice: 2, forum: 15 } as const;

export function addChannel(
  { world, snowflake, now, bus }: Simulation,
  input: {
    readonly name: string;
    readonly type?: keyof typeof CHANNEL_TYPES | undefined;
    readonly guild?: string | undefined;
    readonly topic?: string | undefined;
    readonly deniedToBot?: readonly PermissionName[] | undefined;
  },
): { id: string } {
  const guild = findGuild(world, input.guild);
  const denied = (input.deniedToBot ?? []).reduce((bits, permission) => bits | PermissionFlagsBits[permission], 0n);
  const channel = makeChannel({
    id: snowflake(),
    type: CHANNEL_TYPES[input.type ?? "text"],
    guildId: guild.id,
    name: input.name.replace(/^#/, ""),
    topic: input.topic ?? null,
    position: guild.channels.size,
    createdAt: new Date(now()).toISOString(),
    overwrites:
      denied === 0n
        ? []
        : [{ id: world.application.bot.id, type: OverwriteType.Member, allow: "0", deny: String(denied) }],
  });
  guild.channels.set(channel.id, channel);
  world.channels.set(channel.id, channel);
  bus.publish({ t: "CHANNEL_CREATE", d: channelPayload(channel), guildId: guild.id });
  return { id: channel.id };
}

/** A guild as the first one: the same people's owner, the same roles, one channel. */
export function addGuild(simulation: Simulation, input: { readonly name: string }): { id: string } {
  const { world, snowflake, now, bus } = simulation;
  const first = findGuild(world);
  const id = snowflake();
  const createdAt = new Date(now()).toISOString();
  const roles = [...first.roles.values()].map((role) =>
    makeRole({
      id: role.id === first.id ? id : snowflake(),
      name: role.name,
      position: role.position,
      permissions: BigInt(role.permissions),
      color: role.colors.primary_color,
      botId: role.tags?.bot_id,
    }),
  );
  const botRole = roles.find(({ tags }) => tags?.bot_id === world.application.bot.id);
  const channel = makeChannel({ id: snowflake(), guildId: id, name: "general", createdAt });
  const owner = first.members.get(first.ownerId);
  const guild: GuildState = {
    id,
    name: input.name,
    ownerId: first.ownerId,
    createdAt,
    systemChannelId: channel.id,
    roles: new Map(roles.map((role) => [role.id, role])),
    channels: new Map([[channel.id, channel]]),
    members: new Map(),
    emojis: new Map(),
    voice: new Map(),
    auditLog: [],
  };
  for (const user of [world.application.bot, ...(owner ? [owner.user] : [])]) {
    const isBot = user.id === world.application.bot.id;
    guild.members.set(user.id, { user, nick: null, roles: isBot && botRole ? [botRole.id] : [], joinedAt: createdAt });
  }
  world.guilds.set(id, guild);
  world.channels.set(channel.id, channel);
  bus.publish({ t: "GUILD_CREATE", d: guildCreatePayload(world, guild), guildId: id });
  return { id };
}
