import type { ChannelState, GuildState, MemberState, MessageState, VoiceState, World } from "./model.js";

/** Discord's member object, without the user. */
export function memberWithoutUser(member: MemberState) {
  return {
    avatar: null,
    banner: null,
    communication_disabled_until: null,
    deaf: false,
    flags: 0,
    joined_at: member.joinedAt,
    mute: false,
    nick: member.nick,
    pending: false,
    premium_since: null,
    roles: [...member.roles],
  };
}

export function memberPayload(member: MemberState) {
  return { ...memberWithoutUser(member), user: member.user };
}

export function channelPayload(channel: ChannelState): Record<string, unknown> {
  const lastMessageId = [...channel.messages.keys()].at(-1) ?? null;
  if (channel.type === 1) {
    return { id: channel.id, type: 1, last_message_id: lastMessageId, flags: 0, recipients: [...channel.recipients] };
  }
  const common = {
    id: channel.id,
    type: channel.type,
    guild_id: channel.guildId,
    name: channel.name,
    parent_id: channel.parentId,
    last_message_id: lastMessageId,
    rate_limit_per_user: 0,
    flags: 0,
  };
  if (channel.type === 11) {
    return {
      ...common,
      owner_id: channel.ownerId,
      message_count: channel.messages.size,
      member_count: 1,
      total_message_sent: channel.messages.size,
      thread_metadata: {
        archived: false,
        auto_archive_duration: 1440,
        archive_timestamp: channel.createdAt,
        locked: false,
        create_timestamp: channel.createdAt,
      },
    };
  }
  return {
    ...common,
    topic: channel.topic,
    position: channel.position,
    nsfw: false,
    permission_overwrites: [...channel.overwrites],
    ...(channel.type === 2 ? { bitrate: 64_000, user_limit: 0, rtc_region: null } : {}),
    ...(channel.type === 15 ? { available_tags: [], default_reaction_emoji: null, default_sort_order: null } : {}),
  };
}

/** What REST answers for a guild. */
export function guildPayload(guild: GuildState) {
  return {
    id: guild.id,
    name: guild.name,
    icon: null,
    description: null,
    splash: null,
    discovery_splash: null,
    banner: null,
    owner_id: guild.ownerId,
    application_id: null,
    region: "local",
    afk_channel_id: null,
    afk_timeout: 300,
    system_channel_id: guild.systemChannelId,
    system_channel_flags: 0,
    rules_channel_id: null,
    public_updates_channel_id: null,
    safety_alerts_channel_id: null,
    verification_level: 0,
    default_message_notifications: 0,
    explicit_content_filter: 0,
    mfa_level: 0,
    nsfw_level: 0,
    premium_tier: 0,
    premium_subscription_count: 0,
    premium_progress_bar_enabled: false,
    preferred_locale: "en-US",
    vanity_url_code: null,
    max_members: 500_000,
    max_presences: null,
    max_video_channel_users: 25,
    max_stage_video_channel_users: 50,
    features: [],
    stickers: [],
    emojis: [...guild.emojis.values()],
    roles: [...guild.roles.values()],
  };
}

/** GUILD_CREATE, with everybody in it. */
export function guildCreatePayload(world: World, guild: GuildState): Record<string, unknown> {
  const members = [...guild.members.values()];
  const channels = [...guild.channels.values()];
  return {
    ...guildPayload(guild),
    joined_at: guild.members.get(world.application.bot.id)?.joinedAt ?? guild.createdAt,
    large: false,
    unavailable: false,
    member_count: guild.members.size,
    voice_states: members.flatMap((member) => voiceOf(guild, member)),
    members: members.map(memberPayload),
    channels: channels.filter(({ type }) => type !== 11).map(channelPayload),
    threads: channels.filter(({ type }) => type === 11).map(channelPayload),
    presences: members.flatMap((member) => presenceOf(world, guild, member)),
    stage_instances: [],
    guild_scheduled_events: [],
    soundboard_sounds: [],
  };
}

function voiceOf(guild: GuildState, member: MemberState): Record<string, unknown>[] {
  const state = guild.voice.get(member.user.id);
  return state ? [voicePayload(member, state)] : [];
}

/** Discord's voice state, without the guild. */
export function voicePayload(member: MemberState, state: VoiceState): Record<string, unknown> {
  return {
    channel_id: state.channelId,
    user_id: member.user.id,
    member: memberPayload(member),
    session_id: state.sessionId,
    deaf: false,
    mute: false,
    self_deaf: state.deafened,
    self_mute: state.muted,
    self_stream: state.streaming,
    self_video: state.video,
    suppress: false,
    request_to_speak_timestamp: null,
  };
}

function presenceOf(world: World, guild: GuildState, member: MemberState): Record<string, unknown>[] {
  const presence = world.users.get(member.user.id)?.presence;
  return presence && presence.status !== "offline" ? [presencePayload(guild.id, member.user.id, presence)] : [];
}

interface PresenceLike {
  readonly status: string;
  readonly activities: readonly object[];
}

export function presencePayload(guildId: string, userId: string, presence: PresenceLike): Record<string, unknown> {
  return {
    user: { id: userId },
    guild_id: guildId,
    status: presence.status,
    activities: presence.activities.map((activity, index) => ({ id: `activity-${index}`, created_at: 0, ...activity })),
    client_status: presence.status === "offline" ? {} : { desktop: presence.status },
  };
}

/** A message as REST answers it, with its reactions as the viewer sees them. */
export function messagePayload(stored: MessageState, viewerId: string): Record<string, unknown> {
  const reactions = [...stored.reactions.values()].map(({ emoji, userIds }) => ({
    emoji,
    count: userIds.size,
    count_details: { normal: userIds.size, burst: 0 },
    burst_colors: [],
    me: userIds.has(viewerId),
    me_burst: false,
    burst_me: false,
    burst_count: 0,
  }));
  return { ...stored.message, ...(reactions.length > 0 ? { reactions } : {}) };
}

/** A message as the Gateway sends it: with guild and member, without reactions. */
export function gatewayMessagePayload(world: World, stored: MessageState): Record<string, unknown> {
  const guild = stored.guildId ? world.guilds.get(stored.guildId) : undefined;
  if (!guild) {
    return { ...stored.message };
  }
  const author = guild.members.get(stored.message.author.id);
  return {
    ...stored.message,
    guild_id: guild.id,
    ...(author && !stored.message.webhook_id ? { member: memberWithoutUser(author) } : {}),
    mentions: stored.message.mentions.map((user) => {
      const member = guild.members.get(user.id);
      return member ? { ...user, member: memberWithoutUser(member) } : user;
    }),
  };
}
