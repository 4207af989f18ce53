import { randomBytes } from "node:crypto";
import { PermissionFlagsBits as P } from "discord-api-types/v10";
import type { Context, Hono } from "hono";
import { isEmptyMessage } from "../interactions/answer.js";
import type { Simulation } from "../simulation.js";
import type { MessageBody } from "../world/message-store.js";
import type { ChannelState, MessageState, WebhookState } from "../world/model.js";
import { messagePayload } from "../world/payloads.js";
import { readMessage } from "./attached-files.js";
import type { Body } from "./payload-check.js";
import { REFUSALS, refuse, refuseFields } from "./refusal.js";
import { channelOf, demand, demandInGuild, guildOf, readBody } from "./rest-context.js";

const FORUM = 15;

/** Incoming webhooks: those with a token in their address need no other authorisation. */
export function webhookRoutes(app: Hono, simulation: Simulation): void {
  const { world, messages, threads, check, snowflake } = simulation;

  function payload(webhook: WebhookState, withToken: boolean): Record<string, unknown> {
    const creator = world.users.get(webhook.creatorId)?.user;
    return {
      id: webhook.id,
      type: 1,
      name: webhook.name,
      avatar: null,
      guild_id: webhook.guildId,
      channel_id: webhook.channelId,
      application_id: creator?.bot ? world.application.id : null,
      ...(creator ? { user: creator } : {}),
      ...(withToken
        ? { token: webhook.token, url: `${simulation.origin()}/api/webhooks/${webhook.id}/${webhook.token}` }
        : {}),
    };
  }

  function owned(c: Context): WebhookState {
    const webhook = world.webhooks.get(c.req.param("webhook") ?? "");
    if (!webhook) {
      throw refuse(REFUSALS.unknownWebhook);
    }
    demand(simulation, channelOf(simulation, webhook.channelId), P.ManageWebhooks);
    return webhook;
  }

  function withToken(c: Context): WebhookState {
    const webhook = world.webhooks.get(c.req.param("webhook") ?? "");
    if (!webhook) {
      throw refuse(REFUSALS.unknownWebhook);
    }
    if (webhook.token !== c.req.param("token")) {
      throw refuse(REFUSALS.invalidWebhookToken);
    }
    return webhook;
  }

  app.post("/channels/:channel/webhooks", async (c) => {
    const channel = channelOf(simulation, c.req.param("channel"));
    demand(simulation, channel, P.ManageWebhooks);
    const { name } = await readBody(c);
    if (typeof name !== "string" || name.length < 1 || name.length > 80) {
      throw refuseFields([
        { path: ["name"], code: "BASE_TYPE_BAD_LENGTH", message: "Must be between 1 and 80 in length." },
      ]);
    }
    if (/clyde|discord/i.test(name)) {
      throw refuseFields([
        { path: ["name"], code: "USERNAME_INVALID_CONTAINS", message: 'Username cannot contain "clyde" or "discord"' },
      ]);
    }
    const webhook: WebhookState = {
      id: snowflake(),
      token: randomBytes(51).toString("base64url"),
      guildId: channel.guildId ?? "",
      channelId: channel.id,
      creatorId: world.application.bot.id,
      name,
    };
    world.webhooks.set(webhook.id, webhook);
    return c.json(payload(webhook, true));
  });

  app.get("/channels/:channel/webhooks", (c) => {
    const channel = channelOf(simulation, c.req.param("channel"));
    demand(simulation, channel, P.ManageWebhooks);
    return c.json(
      [...world.webhooks.values()]
        .filter(({ channelId }) => channelId === channel.id)
        .map((hook) => payload(hook, true)),
    );
  });

  app.get("/guilds/:guild/webhooks", (c) => {
    const guild = guildOf(simulation, c.req.param("guild"));
    demandInGuild(simulation, guild, P.ManageWebhooks);
    return c.json(
      [...world.webhooks.values()].filter(({ guildId }) => guildId === guild.id).map((hook) => payload(hook, true)),
    );
  });

  app.get("/webhooks/:webhook", (c) => c.json(payload(owned(c), true)));
  app.get("/webhooks/:webhook/:token", (c) => c.json(payload(withToken(c), true)));
  app.delete("/webhooks/:webhook", (c) => {
    world.webhooks.delete(owned(c).id);
    return c.body(null, 204);
  });
  app.delete("/webhooks/:webhook/:token", (c) => {
    world.webhooks.delete(withToken(c).id);
    return c.body(null, 204);
  });

  /** The webhook's channel, or a thread of it. */
  function target(webhook: WebhookState, threadId: string | undefined): ChannelState {
    const channel = channelOf(simulation, threadId ?? webhook.channelId);
    if (threadId !== undefined && channel.parentId !== webhook.channelId) {
      throw refuse(REFUSALS.unknownChannel);
    }
    return channel;
  }

  /** Where a new message goes: in a forum to the thread that is named, which is opened for it. */
  function place(
    webhook: WebhookState,
    { threadId, threadName }: { readonly threadId: string | undefined; readonly threadName: unknown },
  ): { readonly channel: ChannelState; readonly isNew: boolean } {
    const parent = channelOf(simulation, webhook.channelId);
    const isNamed = typeof threadName === "string" && threadName !== "";
    if (parent.type !== FORUM) {
      if (isNamed) {
        throw refuse(REFUSALS.threadsInForumsOnly);
      }
      return { channel: target(webhook, threadId), isNew: false };
    }
    if (isNamed === (threadId !== undefined)) {
      throw refuse(isNamed ? REFUSALS.forumThreadTwice : REFUSALS.forumWantsThread);
    }
    return isNamed
      ? { channel: threads.open({ parent, name: threadName, ownerId: webhook.id }), isNew: true }
      : { channel: target(webhook, threadId), isNew: false };
  }

  app.post("/webhooks/:webhook/:token", async (c) => {
    const webhook = withToken(c);
    const body = await readMessage(c, simulation);
    check.message("IncomingWebhookRequestPartialSchema", body);
    if (isEmptyMessage(body as MessageBody)) {
      throw refuse(REFUSALS.emptyMessage);
    }
    const { channel, isNew } = place(webhook, { threadId: c.req.query("thread_id"), threadName: body.thread_name });
    const stored = messages.post({
      channel,
      author: authorOf(webhook, body),
      body: body as MessageBody,
      extra: {
        webhook_id: webhook.id,
        application_id: world.application.id,
        // The first message of a post is named as the post is.
        ...(isNew ? { id: channel.id } : {}),
      },
    });
    return c.req.query("wait") === "true" ? c.json(messagePayload(stored, webhook.id)) : c.body(null, 204);
  });

  function own(c: Context): MessageState {
    const webhook = withToken(c);
    const stored = target(webhook, c.req.query("thread_id")).messages.get(c.req.param("message") ?? "");
    if (stored?.message.webhook_id !== webhook.id) {
      throw refuse(REFUSALS.unknownMessage);
    }
    return stored;
  }

  const message = "/webhooks/:webhook/:token/messages/:message";
  app.get(message, (c) => c.json(messagePayload(own(c), c.req.param("webhook"))));
  app.patch(message, async (c) => {
    const stored = own(c);
    const body = await readMessage(c, simulation);
    check.message("IncomingWebhookUpdateRequestPartialSchema", body);
    return c.json(messagePayload(messages.edit(stored, body as MessageBody), c.req.param("webhook")));
  });
  app.delete(message, (c) => {
    const stored = own(c);
    messages.remove(channelOf(simulation, stored.message.channel_id), stored.message.id);
    return c.body(null, 204);
  });
}

function authorOf(webhook: WebhookState, body: Body) {
  return {
    id: webhook.id,
    username: typeof body.username === "string" ? body.username : webhook.name,
    discriminator: "0000",
    global_name: null,
    avatar: null,
    bot: true,
    public_flags: 0,
  };
}
