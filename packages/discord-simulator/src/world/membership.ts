import type { MessageStore } from "./message-store.js";
import type { GuildState, MemberState, Packet, PresenceState, UserState, World } from "./model.js";
import { memberPayload, presencePayload } from "./payloads.js";
import type { Voice } from "./voice.js";

/** Who belongs to which guild, with which roles, and what their presence shows. */
export interface Membership {
  /** Already a member: answered as it is. */
  join(guild: GuildState, user: UserState, roles?: readonly string[]): MemberState;
  /** False: was no member. */
  leave(guild: GuildState, user: UserState): boolean;
  setRoles(guild: GuildState, member: MemberState, roles: readonly string[]): void;
  setNick(guild: GuildState, member: MemberState, nick: string | null): void;
  setPresence(user: UserState, presence: PresenceState): void;
}

interface MembershipContext {
  readonly world: World;
  readonly messages: MessageStore;
  readonly voice: Voice;
  readonly now: () => number;
  readonly publish: (packet: Packet) => void;
}

export function createMembership({ world, messages, voice, now, publish }: MembershipContext): Membership {
  function announceUpdate(guild: GuildState, member: MemberState): void {
    publish({
      t: "GUILD_MEMBER_UPDATE",
      d: { ...memberPayload(member), guild_id: guild.id },
      guildId: guild.id,
    });
  }

  return {
    join(guild, user, roles = []) {
      const existing = guild.members.get(user.user.id);
      if (existing) {
        return existing;
      }
      const member: MemberState = { user: user.user, nick: null, roles, joinedAt: new Date(now()).toISOString() };
      guild.members.set(user.user.id, member);
      publish({ t: "GUILD_MEMBER_ADD", d: { ...memberPayload(member), guild_id: guild.id }, guildId: guild.id });
      const channel = guild.systemChannelId ? guild.channels.get(guild.systemChannelId) : undefined;
      if (channel) {
        messages.post({ channel, author: user.user, type: 7, body: {} });
      }
      return member;
    },

    leave(guild, user) {
      const member = guild.members.get(user.user.id);
      if (!member) {
        return false;
      }
      voice.leave(guild, member);
      guild.members.delete(user.user.id);
      publish({ t: "GUILD_MEMBER_REMOVE", d: { guild_id: guild.id, user: user.user }, guildId: guild.id });
      return true;
    },

    setRoles(guild, member, roles) {
      member.roles = [...new Set(roles)];
      announceUpdate(guild, member);
    },

    setNick(guild, member, nick) {
      member.nick = nick;
      announceUpdate(guild, member);
    },

    setPresence(user, presence) {
      user.presence = presence;
      for (const guild of world.guilds.values()) {
        if (guild.members.has(user.user.id)) {
          publish({
            t: "PRESENCE_UPDATE",
            d: presencePayload(guild.id, user.user.id, presence),
            guildId: guild.id,
          });
        }
      }
    },
  };
}
