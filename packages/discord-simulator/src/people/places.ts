import { AuditLogEvent, PermissionFlagsBits as P } from "discord-api-types/v10";
import { DiscordSimulatorError } from "../errors.js";
import type { Simulation } from "../simulation.js";
import { findGuild, findMember, findMessage, findUser } from "../world/look-up.js";
import type { ChannelState } from "../world/model.js";
import { hasPermission, highestRolePosition, permissionsOf } from "../world/permissions.js";
import type { VoiceSettings } from "../world/voice.js";
import { channelFor, demandOf } from "./speech.js";

/** Threads that people open, voice channels that they sit in, and who is sent away. */
export interface Places {
  startThread(input: ThreadInput): ChannelState;
  joinVoice(input: { readonly member: string; readonly channel: string } & VoiceSettings): void;
  leaveVoice(input: { readonly member: string; readonly guild?: string | undefined }): void;
  kick(input: KickInput): void;
}

interface ThreadInput {
  readonly member: string;
  readonly channel: string;
  readonly name: string;
  /** The first thing that is said in it; a post in a forum needs one. */
  readonly text?: string | undefined;
  /** The message that it starts from. */
  readonly message?: string | undefined;
}

interface KickInput {
  readonly member: string;
  readonly target: string;
  readonly reason?: string | undefined;
  readonly guild?: string | undefined;
}

const VOICE = 2;
const FORUM = 15;

export function createPlaces(simulation: Simulation): Places {
  const { world, threads, messages, voice, membership, auditLog } = simulation;

  return {
    startThread({ member, channel, name, text, message }) {
      const user = findUser(world, member);
      const parent = channelFor(simulation, user, channel);
      if (parent.type !== 0 && parent.type !== FORUM) {
        throw new DiscordSimulatorError("invalid_input", `There are no threads in ${channel}.`);
      }
      if (parent.type === FORUM && (text === undefined || message !== undefined)) {
        throw new DiscordSimulatorError("invalid_input", "A post in a forum starts with a text of its own.");
      }
      demandOf(simulation, { user, channel: parent }, parent.type === FORUM ? P.SendMessages : P.CreatePublicThreads);
      const start = message === undefined ? undefined : findMessage(world, message);
      if (start && start.channel !== parent) {
        throw new DiscordSimulatorError("unknown_message", `Message ${message} is not in ${channel}.`);
      }
      if (name.length > 100 || (start && world.channels.has(start.stored.message.id))) {
        throw new DiscordSimulatorError("invalid_input", "A name has 100 characters, and a message one thread.");
      }
      const thread = threads.open({ parent, name, ownerId: user.user.id, id: start?.stored.message.id });
      if (text !== undefined) {
        const extra = parent.type === FORUM ? { id: thread.id } : {};
        messages.post({ channel: thread, author: user.user, body: { content: text }, extra });
      }
      return thread;
    },

    joinVoice({ member, channel: name, ...settings }) {
      const user = findUser(world, member);
      const channel = channelFor(simulation, user, name);
      if (channel.type !== VOICE || channel.guildId === null) {
        throw new DiscordSimulatorError("invalid_input", `${name} is not a voice channel.`);
      }
      demandOf(simulation, { user, channel }, P.Connect);
      const guild = findGuild(world, channel.guildId);
      voice.join(guild, findMember(guild, user), { ...settings, channel });
    },

    leaveVoice({ member, guild: name }) {
      const guild = findGuild(world, name);
      if (!voice.leave(guild, findMember(guild, findUser(world, member)))) {
        throw new DiscordSimulatorError("invalid_input", `${member} is in no voice channel.`);
      }
    },

    kick({ member, target, reason, guild: name }) {
      const guild = findGuild(world, name);
      const acting = findMember(guild, findUser(world, member));
      const user = findUser(world, target);
      const kicked = findMember(guild, user);
      const stands =
        guild.ownerId === acting.user.id || highestRolePosition(guild, acting) > highestRolePosition(guild, kicked);
      if (
        !hasPermission(permissionsOf(guild, acting, null), P.KickMembers) ||
        !stands ||
        guild.ownerId === kicked.user.id
      ) {
        throw new DiscordSimulatorError("not_permitted", `${member} may not kick ${target}.`);
      }
      membership.leave(guild, user);
      auditLog.record(guild, {
        action: AuditLogEvent.MemberKick,
        userId: acting.user.id,
        targetId: kicked.user.id,
        reason,
      });
    },
  };
}
