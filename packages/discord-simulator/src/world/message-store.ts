import type { APIEmbed, APIMessage, APIUser } from "discord-api-types/v10";
import type { Snowflakes } from "../snowflake.js";
import type { AllowedMentions } from "./mentions.js";
import { mentionsIn } from "./mentions.js";
import type { ChannelState, MessageState, Packet, World } from "./model.js";
import { gatewayMessagePayload, memberPayload } from "./payloads.js";

/** What a message says; the part of Discord's body that is kept. */
export interface MessageBody {
  readonly content?: string | null | undefined;
  readonly embeds?: readonly APIEmbed[] | null | undefined;
  readonly components?: readonly unknown[] | null | undefined;
  readonly attachments?: readonly unknown[] | null | undefined;
  readonly allowed_mentions?: AllowedMentions | null | undefined;
  readonly flags?: number | null | undefined;
  readonly nonce?: string | number | null | undefined;
  readonly tts?: boolean | null | undefined;
  readonly message_reference?: { readonly message_id: string } | null | undefined;
}

export interface NewMessage {
  readonly channel: ChannelState;
  readonly author: APIUser;
  readonly body: MessageBody;
  /** Discord's number of the kind: 0 said, 7 joined, 19 reply, 20 answer to a command. */
  readonly type?: number | undefined;
  /** Only this person sees it, and the Gateway does not tell. */
  readonly visibleTo?: string | null | undefined;
  readonly extra?: Partial<APIMessage> | undefined;
}

export interface MessageStore {
  post(message: NewMessage): MessageState;
  edit(stored: MessageState, body: MessageBody, extra?: Partial<APIMessage>): MessageState;
  remove(channel: ChannelState, messageId: string): boolean;
  /** Several at once; answers how many of them there were. */
  removeMany(channel: ChannelState, messageIds: readonly string[]): number;
  /** False: this user had reacted so already. */
  react(reaction: Reaction): boolean;
  /** False: there was nothing to take back. */
  unreact(reaction: Reaction): boolean;
}

export interface Reaction {
  readonly stored: MessageState;
  readonly user: APIUser;
  readonly emoji: { readonly id: string | null; readonly name: string };
}

interface MessageStoreContext {
  readonly world: World;
  readonly snowflake: Snowflakes;
  readonly now: () => number;
  readonly publish: (packet: Packet) => void;
  /** For what only one person sees. */
  readonly changed: () => void;
}

const FLAG_EPHEMERAL = 64;

export function createMessageStore({ world, snowflake, now, publish, changed }: MessageStoreContext): MessageStore {
  const guildOf = (channel: ChannelState) => (channel.guildId ? world.guilds.get(channel.guildId) : undefined);

  function contentOf(channel: ChannelState, body: MessageBody) {
    const content = body.content ?? "";
    return {
      content,
      embeds: (body.embeds ?? []).map((embed) => ({ type: "rich", ...embed })) as APIEmbed[],
      components: numbered(body.components ?? []) as NonNullable<APIMessage["components"]>,
      attachments: [...(body.attachments ?? [])] as APIMessage["attachments"],
      ...mentionsIn({ world, guild: guildOf(channel), content, allowed: body.allowed_mentions }),
    };
  }

  function announce(t: string, stored: MessageState): void {
    if (stored.visibleTo === null) {
      publish({ t, d: gatewayMessagePayload(world, stored), guildId: stored.guildId });
    } else {
      changed();
    }
  }

  return {
    post({ channel, author, body, type, visibleTo = null, extra }) {
      const reference = body.message_reference?.message_id;
      const referenced = reference ? channel.messages.get(reference) : undefined;
      const message: APIMessage = {
        id: snowflake(),
        type: type ?? (referenced ? 19 : 0),
        channel_id: channel.id,
        author,
        timestamp: new Date(now()).toISOString(),
        edited_timestamp: null,
        tts: body.tts ?? false,
        pinned: false,
        flags: (body.flags ?? 0) | (visibleTo === null ? 0 : FLAG_EPHEMERAL),
        ...contentOf(channel, body),
        ...(body.nonce === undefined || body.nonce === null ? {} : { nonce: body.nonce }),
        ...(referenced
          ? {
              message_reference: {
                type: 0,
                channel_id: channel.id,
                message_id: referenced.message.id,
                ...(channel.guildId ? { guild_id: channel.guildId } : {}),
              },
              referenced_message: referenced.message,
            }
          : {}),
        ...extra,
      };
      const stored: MessageState = { message, guildId: channel.guildId, visibleTo, reactions: new Map() };
      channel.messages.set(message.id, stored);
      announce("MESSAGE_CREATE", stored);
      return stored;
    },

    edit(stored, body, extra) {
      const channel = world.channels.get(stored.message.channel_id);
      if (!channel) {
        return stored;
      }
      const old = stored.message;
      const content = contentOf(channel, {
        content: body.content === undefined ? old.content : body.content,
        embeds: body.embeds === undefined ? old.embeds : body.embeds,
        components: body.components === undefined ? old.components : body.components,
        attachments: body.attachments === undefined ? old.attachments : body.attachments,
        allowed_mentions: body.allowed_mentions,
      });
      stored.message = {
        ...old,
        ...content,
        flags: body.flags === undefined || body.flags === null ? (old.flags ?? 0) : keepEphemeral(old, body.flags),
        edited_timestamp: new Date(now()).toISOString(),
        ...extra,
      };
      announce("MESSAGE_UPDATE", stored);
      return stored;
    },

    remove(channel, messageId) {
      const stored = channel.messages.get(messageId);
      if (!stored) {
        return false;
      }
      channel.messages.delete(messageId);
      if (stored.visibleTo === null) {
        publish({
          t: "MESSAGE_DELETE",
          d: { id: messageId, channel_id: channel.id, ...guildIdOf(channel.guildId) },
          guildId: channel.guildId,
        });
      }
      return true;
    },

    removeMany(channel, messageIds) {
      const known = messageIds.filter((id) => channel.messages.get(id)?.visibleTo === null);
      for (const id of known) {
        channel.messages.delete(id);
      }
      if (known.length > 0) {
        publish({
          t: "MESSAGE_DELETE_BULK",
          d: { ids: known, channel_id: channel.id, ...guildIdOf(channel.guildId) },
          guildId: channel.guildId,
        });
      }
      return known.length;
    },

    react({ stored, user, emoji }) {
      const key = emoji.id ?? emoji.name;
      const reaction = stored.reactions.get(key) ?? { emoji, userIds: new Set<string>() };
      if (reaction.userIds.has(user.id)) {
        return false;
      }
      reaction.userIds.add(user.id);
      stored.reactions.set(key, reaction);
      const member = stored.guildId ? world.guilds.get(stored.guildId)?.members.get(user.id) : undefined;
      publish({
        t: "MESSAGE_REACTION_ADD",
        d: {
          ...reactionPayload(stored, user, emoji),
          ...(stored.message.webhook_id ? {} : { message_author_id: stored.message.author.id }),
          ...(member ? { member: memberPayload(member) } : {}),
        },
        guildId: stored.guildId,
      });
      return true;
    },

    unreact({ stored, user, emoji }) {
      const key = emoji.id ?? emoji.name;
      const reaction = stored.reactions.get(key);
      if (!reaction?.userIds.delete(user.id)) {
        return false;
      }
      if (reaction.userIds.size === 0) {
        stored.reactions.delete(key);
      }
      publish({ t: "MESSAGE_REACTION_REMOVE", d: reactionPayload(stored, user, emoji), guildId: stored.guildId });
      return true;
    },
  };
}

function keepEphemeral(old: APIMessage, flags: number): number {
  return (flags & ~FLAG_EPHEMERAL) | ((old.flags ?? 0) & FLAG_EPHEMERAL);
}

function guildIdOf(guildId: string | null) {
  return guildId ? { guild_id: guildId } : {};
}

function reactionPayload(stored: MessageState, user: APIUser, emoji: Reaction["emoji"]) {
  return {
    user_id: user.id,
    channel_id: stored.message.channel_id,
    message_id: stored.message.id,
    ...guildIdOf(stored.guildId),
    emoji,
    burst: false,
    type: 0,
  };
}

/** Discord gives each component of a message a number of its own, counting from 1 through the tree. */
function numbered(components: readonly unknown[]): unknown[] {
  let next = 0;
  const visit = (component: unknown): unknown => {
    if (typeof component !== "object" || component === null) {
      return component;
    }
    next += 1;
    const own = component as { id?: number; components?: readonly unknown[]; accessory?: unknown };
    const id = own.id ?? next;
    return {
      ...own,
      id,
      ...(own.components ? { components: own.components.map(visit) } : {}),
      ...(own.accessory ? { accessory: visit(own.accessory) } : {}),
    };
  };
  return components.map(visit);
}
