import { z } from "zod";
import { DiscordConnectorError } from "../errors.js";
import type { CustomIds } from "../interactions/custom-id.js";
import type { Text } from "../message/markdown.js";
import { contentOf, type MessageContent } from "../message/message-content.js";
import { nonceOf } from "../message/nonce.js";
import { type Mentions, renderMessage } from "../message/render-message.js";
import { assertOption } from "../options.js";
import type { DiscordRest, RestRequest } from "../rest/discord-rest.js";
import { isSnowflake } from "../snowflake.js";
import { type DiscordActionResult, toResult } from "./action-result.js";

/** What the bot can do to people and messages. What Discord refuses is an answer, not an error. */
export interface DiscordActions {
  /** Gives a member a role. Idempotent. */
  grantRole(role: MemberRole): Promise<DiscordActionResult>;
  /** Takes a role from a member. Idempotent. */
  removeRole(role: MemberRole): Promise<DiscordActionResult>;
  /** Posts a message to a channel or a thread. */
  sendMessage(message: ChannelMessage): Promise<DiscordActionResult<SentMessage>>;
  /** Changes a message of the bot's own; nothing of what it showed before stays. */
  editMessage(message: EditedMessage): Promise<DiscordActionResult<SentMessage>>;
  /** Writes to a person. They have to share a server with the bot, and may have closed their direct messages. */
  sendDirectMessage(message: DirectMessage): Promise<DiscordActionResult<SentMessage>>;
}

interface Cancellable {
  readonly signal?: AbortSignal;
}

export interface MemberRole extends Cancellable {
  readonly guildId: string;
  readonly userId: string;
  readonly roleId: string;
}

interface SentOnce extends Cancellable {
  readonly message: MessageContent | Text;
  /** Within some minutes Discord posts no second message of the same key. */
  readonly idempotencyKey?: string;
}

export interface ChannelMessage extends SentOnce {
  readonly channelId: string;
  /** Who is named before the text and notified, at most 50; nobody else is, whatever the text says. */
  readonly mention?: Mentions;
}

export interface DirectMessage extends SentOnce {
  readonly userId: string;
}

export interface EditedMessage extends Cancellable {
  readonly channelId: string;
  readonly messageId: string;
  readonly message: MessageContent | Text;
}

export interface SentMessage {
  readonly messageId: string;
  readonly channelId: string;
}

const idSchema = z.object({ id: z.string() });
const KEPT_CHANNELS = 1_000;
/** They stand in front of the text, which has to have some room left. */
export const MAX_MENTIONS = 50;

/** Throws `invalid_option` for an id that is none, and `bot_token_missing`. */
export function createDiscordActions({ rest, customIds }: { rest: DiscordRest; customIds: CustomIds }): DiscordActions {
  /** Of people who were written to, so that Discord is not asked each time. */
  const directChannels = new Map<string, string>();

  const request = (asked: Omit<RestRequest, "authorization" | "signal">, { signal }: Cancellable): Promise<unknown> =>
    rest.request({ ...asked, authorization: rest.botAuthorization(), ...(signal === undefined ? {} : { signal }) });

  const setRole = (method: "PUT" | "DELETE", { guildId, userId, roleId, ...options }: MemberRole) => {
    checkIds({ guildId, userId, roleId });
    const path = `/guilds/${guildId}/members/${userId}/roles/${roleId}`;
    return toResult(async () => {
      await request({ method, path }, options);
      return {};
    });
  };

  const post = async (
    channelId: string,
    { message, mention, idempotencyKey, ...options }: Omit<ChannelMessage, "channelId">,
  ) => {
    const rendered = renderMessage(contentOf(message), customIds, mention);
    const nonce = idempotencyKey === undefined ? {} : { nonce: nonceOf(idempotencyKey), enforce_nonce: true };
    const sent = await request(
      { method: "POST", path: `/channels/${channelId}/messages`, body: { ...rendered, ...nonce } },
      options,
    );
    return { messageId: idSchema.parse(sent).id, channelId };
  };

  const directChannel = async (userId: string, options: Cancellable): Promise<string> => {
    const known = directChannels.get(userId);
    if (known !== undefined) return known;
    const path = "/users/@me/channels";
    const { id } = idSchema.parse(await request({ method: "POST", path, body: { recipient_id: userId } }, options));
    const [oldest] = directChannels.size >= KEPT_CHANNELS ? directChannels.keys() : [];
    if (oldest !== undefined) directChannels.delete(oldest);
    directChannels.set(userId, id);
    return id;
  };

  return {
    grantRole: async (role) => setRole("PUT", role),
    removeRole: async (role) => setRole("DELETE", role),
    async sendMessage({ channelId, mention, ...message }) {
      checkIds({ channelId });
      const mentioned = mention === undefined ? {} : { mention: checkMentions(mention) };
      return toResult(() => post(channelId, { ...message, ...mentioned }));
    },
    async editMessage({ channelId, messageId, message, ...options }) {
      checkIds({ channelId, messageId });
      return toResult(async () => {
        const body = renderMessage(contentOf(message), customIds);
        await request({ method: "PATCH", path: `/channels/${channelId}/messages/${messageId}`, body }, options);
        return { messageId, channelId };
      });
    },
    async sendDirectMessage({ userId, ...message }) {
      checkIds({ userId });
      return toResult(async () => post(await directChannel(userId, message), message));
    },
  };
}

/** Each once: Discord refuses a list with the same id twice, and what is not an id costs the whole message. */
function checkMentions({ userIds = [], roleIds = [] }: Mentions): Mentions {
  for (const id of userIds) checkIds({ "mention.userIds": id });
  for (const id of roleIds) checkIds({ "mention.roleIds": id });
  const mentions = { userIds: [...new Set(userIds)], roleIds: [...new Set(roleIds)] };
  const count = mentions.userIds.length + mentions.roleIds.length;
  assertOption(
    count <= MAX_MENTIONS,
    `mention names ${count} people and roles; a message has room for ${MAX_MENTIONS}.`,
  );
  return mentions;
}

/** An id stands in a path: nothing else may. */
function checkIds(ids: Readonly<Record<string, string>>): void {
  for (const [name, id] of Object.entries(ids)) {
    if (!isSnowflake(id)) throw new DiscordConnectorError("invalid_option", `${name} is not an id of Discord's.`);
  }
}
