import { AuditLogEvent, PermissionFlagsBits as P } from "discord-api-types/v10";
import type { Hono } from "hono";
import { isEmptyMessage } from "../interactions/answer.js";
import type { Simulation } from "../simulation.js";
import { compareSnowflakes, snowflakeTimeMs } from "../snowflake.js";
import { recordRemoval } from "../world/audit-log.js";
import { parseEmoji } from "../world/emoji.js";
import type { MessageBody } from "../world/message-store.js";
import type { ChannelState, MessageState } from "../world/model.js";
import { channelPayload, messagePayload } from "../world/payloads.js";
import { readMessage } from "./attached-files.js";
import { reasonOf } from "./audit-log-routes.js";
import type { Body } from "./payload-check.js";
import { REFUSALS, refuse, refuseFields } from "./refusal.js";
import { channelOf, demand, messageOf, readBody } from "./rest-context.js";

/** For how long a nonce is remembered. */
const NONCE_WINDOW_MS = 5 * 60_000;
/** Older messages can be deleted one by one only. */
const BULK_DELETE_MS = 14 * 24 * 3600_000;

/** Channels, their messages, and reactions. */
export function messageRoutes(app: Hono, simulation: Simulation): void {
  const { world, messages, check, now, auditLog } = simulation;
  const bot = world.application.bot;
  const nonces = new Map<string, { readonly stored: MessageState; readonly atMs: number }>();

  app.get("/channels/:channel", (c) => {
    const channel = channelOf(simulation, c.req.param("channel"));
    demand(simulation, channel, 0n);
    return c.json(channelPayload(channel));
  });

  app.post("/channels/:channel/typing", (c) => {
    const channel = channelOf(simulation, c.req.param("channel"));
    demand(simulation, channel, P.SendMessages);
    return c.body(null, 204);
  });

  app.get("/channels/:channel/messages", (c) => {
    const channel = channelOf(simulation, c.req.param("channel"));
    demand(simulation, channel, P.ReadMessageHistory);
    const { before, after, around, limit = "50" } = c.req.query();
    return c.json(
      page(channel, { before, after, around, limit: Number(limit) }).map((stored) => messagePayload(stored, bot.id)),
    );
  });

  app.post("/channels/:channel/messages", async (c) => {
    const channel = channelOf(simulation, c.req.param("channel"));
    demand(simulation, channel, channel.type === 11 ? P.SendMessagesInThreads : P.SendMessages);
    if (channel.type === 1 && channel.recipients.some(({ id }) => world.closedToBot.has(id))) {
      throw refuse(REFUSALS.directMessagesClosed);
    }
    if (channel.type === 15) {
      throw refuse(REFUSALS.notATextChannel);
    }
    const body = await readMessage(c, simulation);
    check.message("MessageCreateRequestSchema", body);
    if (isEmptyMessage(body as MessageBody)) {
      throw refuse(REFUSALS.emptyMessage);
    }
    refuseUnknownReference(channel, body);
    const nonce = body.enforce_nonce === true && body.nonce ? String(body.nonce) : undefined;
    const known = nonce === undefined ? undefined : nonces.get(nonce);
    if (known && now() - known.atMs < NONCE_WINDOW_MS) {
      return c.json(messagePayload(known.stored, bot.id));
    }
    const stored = messages.post({ channel, author: bot, body: body as MessageBody });
    if (nonce !== undefined) {
      nonces.set(nonce, { stored, atMs: now() });
    }
    return c.json(messagePayload(stored, bot.id));
  });

  app.get("/channels/:channel/messages/:message", (c) => {
    const channel = channelOf(simulation, c.req.param("channel"));
    demand(simulation, channel, P.ReadMessageHistory);
    return c.json(messagePayload(messageOf(channel, c.req.param("message")), bot.id));
  });

  app.patch("/channels/:channel/messages/:message", async (c) => {
    const channel = channelOf(simulation, c.req.param("channel"));
    demand(simulation, channel, 0n);
    const stored = messageOf(channel, c.req.param("message"));
    if (stored.message.author.id !== bot.id) {
      throw refuse(REFUSALS.notTheAuthor);
    }
    const body = await readMessage(c, simulation);
    check.message("MessageEditRequestPartialSchema", body);
    if (isEmptyMessage({ ...(stored.message as MessageBody), ...(body as MessageBody) })) {
      throw refuse(REFUSALS.emptyMessage);
    }
    return c.json(messagePayload(messages.edit(stored, body as MessageBody), bot.id));
  });

  app.delete("/channels/:channel/messages/:message", (c) => {
    const channel = channelOf(simulation, c.req.param("channel"));
    const stored = messageOf(channel, c.req.param("message"));
    const isOwn = stored.message.author.id === bot.id;
    demand(simulation, channel, isOwn ? 0n : P.ManageMessages);
    messages.remove(channel, stored.message.id);
    if (!isOwn) {
      recordRemoval(simulation, { channel, stored, userId: bot.id, reason: reasonOf(c) });
    }
    return c.body(null, 204);
  });

  app.post("/channels/:channel/messages/bulk-delete", async (c) => {
    const channel = channelOf(simulation, c.req.param("channel"));
    demand(simulation, channel, P.ManageMessages);
    const { messages: given } = await readBody(c);
    if (!Array.isArray(given) || given.some((id) => typeof id !== "string" || !/^\d{1,20}$/.test(id))) {
      throw refuseFields([
        { path: ["messages"], code: "BASE_TYPE_REQUIRED", message: "This field is a list of message ids" },
      ]);
    }
    const ids = [...new Set(given.map(String))];
    if (ids.length < 2 || ids.length > 100) {
      throw refuse(REFUSALS.bulkDeleteCount);
    }
    if (ids.some((id) => snowflakeTimeMs(id) < now() - BULK_DELETE_MS)) {
      throw refuse(REFUSALS.bulkDeleteAge);
    }
    const removed = messages.removeMany(channel, ids);
    const guild = world.guilds.get(channel.guildId ?? "");
    if (guild && removed > 0) {
      auditLog.record(guild, {
        action: AuditLogEvent.MessageBulkDelete,
        userId: bot.id,
        targetId: channel.id,
        reason: reasonOf(c),
        options: { count: String(removed) },
      });
    }
    return c.body(null, 204);
  });

  const reactions = "/channels/:channel/messages/:message/reactions/:emoji";

  app.get(reactions, (c) => {
    const channel = channelOf(simulation, c.req.param("channel"));
    const stored = messageOf(channel, c.req.param("message"));
    const emoji = emojiOf(channel, c.req.param("emoji"));
    const userIds = stored.reactions.get(emoji.id ?? emoji.name)?.userIds ?? [];
    return c.json([...userIds].map((id) => world.users.get(id)?.user));
  });

  app.put(`${reactions}/@me`, (c) => {
    const channel = channelOf(simulation, c.req.param("channel"));
    demand(simulation, channel, P.AddReactions);
    const stored = messageOf(channel, c.req.param("message"));
    messages.react({ stored, user: bot, emoji: emojiOf(channel, c.req.param("emoji")) });
    return c.body(null, 204);
  });

  app.delete(`${reactions}/:user`, (c) => {
    const channel = channelOf(simulation, c.req.param("channel"));
    const own = c.req.param("user") === "@me" || c.req.param("user") === bot.id;
    demand(simulation, channel, own ? 0n : P.ManageMessages);
    const stored = messageOf(channel, c.req.param("message"));
    const user = own ? bot : world.users.get(c.req.param("user"))?.user;
    if (!user) {
      throw refuse(REFUSALS.unknownUser);
    }
    messages.unreact({ stored, user, emoji: emojiOf(channel, c.req.param("emoji")) });
    return c.body(null, 204);
  });

  function emojiOf(channel: ChannelState, text: string) {
    const emoji = parseEmoji(text, channel.guildId ? world.guilds.get(channel.guildId) : undefined);
    if (!emoji) {
      throw refuse(REFUSALS.unknownEmoji);
    }
    return emoji;
  }
}

function refuseUnknownReference(channel: ChannelState, body: Body): void {
  const reference = body.message_reference as { message_id?: string; fail_if_not_exists?: boolean } | null | undefined;
  if (reference?.message_id && reference.fail_if_not_exists !== false && !channel.messages.has(reference.message_id)) {
    throw refuseFields([{ path: ["message_reference"], code: "REPLIES_UNKNOWN_MESSAGE", message: "Unknown message" }]);
  }
}

interface PageQuery {
  readonly before?: string | undefined;
  readonly after?: string | undefined;
  readonly around?: string | undefined;
  readonly limit: number;
}

/** Newest first, as Discord answers. */
function page(channel: ChannelState, { before, after, around, limit }: PageQuery): MessageState[] {
  if (!Number.isInteger(limit) || limit < 1 || limit > 100) {
    throw refuseFields([
      { path: ["limit"], code: "NUMBER_TYPE_MAX", message: "int value should be between 1 and 100." },
    ]);
  }
  const all = [...channel.messages.values()].filter(({ visibleTo }) => visibleTo === null);
  const isBefore = (a: string, b: string) => compareSnowflakes(a, b) < 0;
  if (after) {
    return all
      .filter(({ message }) => isBefore(after, message.id))
      .slice(0, limit)
      .reverse();
  }
  if (around) {
    const index = all.findIndex(({ message }) => message.id === around);
    const start = Math.max(0, index - Math.floor(limit / 2));
    return all.slice(start, start + limit).reverse();
  }
  const candidates = before ? all.filter(({ message }) => isBefore(message.id, before)) : all;
  return candidates.slice(-limit).reverse();
}
