import { PermissionFlagsBits as P } from "discord-api-types/v10";
import { DiscordSimulatorError } from "../errors.js";
import { LIMITS } from "../rest/limits.js";
import type { Simulation } from "../simulation.js";
import { recordRemoval } from "../world/audit-log.js";
import { openDirectChannel } from "../world/direct-channel.js";
import { parseEmoji } from "../world/emoji.js";
import { findChannel, findGuild, findMember, findMessage, findUser } from "../world/look-up.js";
import type { ChannelState, MessageState, UserState } from "../world/model.js";
import { hasPermission, permissionsOf } from "../world/permissions.js";

/** What people say and do with messages, as far as a client would let them. */
export interface Speech {
  say(input: { member: string; channel: string; text: string; replyTo?: string | undefined }): MessageState;
  edit(input: { member: string; message: string; text: string }): MessageState;
  remove(input: { member: string; message: string }): void;
  react(input: { member: string; message: string; emoji: string }): void;
  unreact(input: { member: string; message: string; emoji: string }): void;
}

/** The channel that a person means: `@bot` is the direct one with the bot. */
export function channelFor(simulation: Simulation, user: UserState, channel: string): ChannelState {
  if (channel === "@bot") {
    return openDirectChannel(simulation, user.user);
  }
  const own = [...simulation.world.guilds.values()].filter((guild) => guild.members.has(user.user.id));
  const here = own.find((guild) => [...guild.channels.values()].some(({ name }) => name === channel.replace(/^#/, "")));
  return findChannel(simulation.world, channel, here?.id);
}

/** Throws unless the person has this permission there. In a direct channel everything is allowed. */
export function demandOf(
  { world }: Simulation,
  where: { user: UserState; channel: ChannelState },
  wanted: bigint,
): void {
  const { user, channel } = where;
  if (!channel.guildId) {
    if (!channel.recipients.some(({ id }) => id === user.user.id)) {
      throw new DiscordSimulatorError("not_permitted", `This direct channel is not ${user.user.username}'s.`);
    }
    return;
  }
  const guild = findGuild(world, channel.guildId);
  if (!hasPermission(permissionsOf(guild, findMember(guild, user), channel), wanted | P.ViewChannel)) {
    throw new DiscordSimulatorError("not_permitted", `${user.user.username} may not do that in #${channel.name}.`);
  }
}

export function createSpeech(simulation: Simulation): Speech {
  const { world, messages } = simulation;

  function place(memberName: string, messageId: string) {
    const user = findUser(world, memberName);
    const { channel, stored } = findMessage(world, messageId);
    if (stored.visibleTo !== null && stored.visibleTo !== user.user.id) {
      throw new DiscordSimulatorError("unknown_message", `${user.user.username} does not see message ${messageId}.`);
    }
    return { user, channel, stored };
  }

  function emojiOf(channel: ChannelState, text: string) {
    const emoji = parseEmoji(text, channel.guildId ? world.guilds.get(channel.guildId) : undefined);
    if (!emoji) {
      throw new DiscordSimulatorError("unknown_emoji", `There is no emoji "${text}".`);
    }
    return emoji;
  }

  return {
    say({ member, channel: name, text, replyTo }) {
      const user = findUser(world, member);
      const channel = channelFor(simulation, user, name);
      demandOf(simulation, { user, channel }, channel.type === 11 ? P.SendMessagesInThreads : P.SendMessages);
      if (channel.type === 15) {
        throw new DiscordSimulatorError("invalid_input", `${name} is a forum: start a thread there.`);
      }
      if (text.trim() === "" || text.length > LIMITS.contentCharacters) {
        throw new DiscordSimulatorError("invalid_input", `A message has 1 to ${LIMITS.contentCharacters} characters.`);
      }
      return messages.post({
        channel,
        author: user.user,
        body: { content: text, ...(replyTo ? { message_reference: { message_id: replyTo } } : {}) },
      });
    },
    edit({ member, message, text }) {
      const { user, stored } = place(member, message);
      if (stored.message.author.id !== user.user.id) {
        throw new DiscordSimulatorError("not_permitted", "Only its author can edit a message.");
      }
      return messages.edit(stored, { content: text });
    },
    remove({ member, message }) {
      const { user, channel, stored } = place(member, message);
      const isOwn = stored.message.author.id === user.user.id;
      if (!isOwn) {
        demandOf(simulation, { user, channel }, P.ManageMessages);
      }
      messages.remove(channel, message);
      if (!isOwn) {
        recordRemoval(simulation, { channel, stored, userId: user.user.id });
      }
    },
    react({ member, message, emoji }) {
      const { user, channel, stored } = place(member, message);
      demandOf(simulation, { user, channel }, P.AddReactions);
      messages.react({ stored, user: user.user, emoji: emojiOf(channel, emoji) });
    },
    unreact({ member, message, emoji }) {
      const { user, channel, stored } = place(member, message);
      messages.unreact({ stored, user: user.user, emoji: emojiOf(channel, emoji) });
    },
  };
}
