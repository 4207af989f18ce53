import { type Action, type ActionContext, type ActionResult, defineAction } from "@hookline/core";
import { z } from "zod";
import type { MessageContent } from "../message/message-content.js";
import type { ChannelGuilds } from "../rest/channel-guilds.js";
import type { DiscordRest } from "../rest/discord-rest.js";
import { type DiscordActionResult, toResult } from "./action-result.js";
import { type DiscordActions, MAX_MENTIONS } from "./discord-actions.js";

export interface AutomationActionsOptions {
  readonly actions: DiscordActions;
  readonly rest: DiscordRest;
  readonly guildOf: ChannelGuilds;
  readonly resolveTenant: (guildId: string | null) => Promise<string | null>;
}

const id = z.string().regex(/^\d{1,20}$/, "is an id of Discord's");
const ids = z.array(id).max(MAX_MENTIONS);
const words = z.string().max(20_000);

/** What an automation says. All of it is shown as it was typed, since it may hold what people wrote. */
const message = z
  .strictObject({
    content: words,
    title: words,
    url: words,
    description: words,
    color: z.string().regex(/^#[0-9a-f]{6}$/i, "is #rrggbb"),
    fields: z.array(z.strictObject({ name: words, value: words, inline: z.boolean().optional() })).max(25),
    buttons: z.array(z.strictObject({ label: words, url: words })).max(25),
  })
  .partial();

const memberRole = z.strictObject({ guildId: id, userId: id, roleId: id });
const channelMessage = z.strictObject({
  channelId: id,
  message,
  mention: z
    .strictObject({ userIds: ids.optional(), roleIds: ids.optional() })
    .refine(
      ({ userIds = [], roleIds = [] }) => userIds.length + roleIds.length <= MAX_MENTIONS,
      `names at most ${MAX_MENTIONS} people and roles`,
    )
    .optional(),
});

type Context = ActionContext & { readonly signal: AbortSignal };

/** The bot's actions as steps of automations, each only in servers of the automation's tenant. */
export function createAutomationActions(options: AutomationActionsOptions): readonly Action[] {
  const { actions, rest, guildOf, resolveTenant } = options;

  const inGuild = async (guildId: string | null, { tenantId }: Context, act: () => Promise<DiscordActionResult>) =>
    guildId !== null && (await resolveTenant(guildId)) === tenantId ? toActionResult(await act()) : NOT_YOURS;

  const inChannel = async (channelId: string, context: Context, act: () => Promise<DiscordActionResult>) => {
    const found = await toResult(async () => ({ guildId: await guildOf(channelId, context.signal) }));
    return found.ok ? inGuild(found.guildId, context, act) : toActionResult(found);
  };

  const grantRole = defineAction({
    name: "discord.role.grant",
    kind: "external",
    description: "Gives a member of a Discord server a role.",
    schema: memberRole,
    run: (role, context) =>
      inGuild(role.guildId, context, () => actions.grantRole({ ...role, signal: context.signal })),
  });

  const removeRole = defineAction({
    name: "discord.role.remove",
    kind: "external",
    description: "Takes a role from a member of a Discord server.",
    schema: memberRole,
    run: (role, context) =>
      inGuild(role.guildId, context, () => actions.removeRole({ ...role, signal: context.signal })),
  });

  const sendMessage = defineAction({
    name: "discord.message.send",
    kind: "external",
    description: "Posts a message to a Discord channel or thread, and mentions whom it is told to.",
    schema: channelMessage,
    run: ({ channelId, message: said, mention }, context) =>
      inChannel(channelId, context, () =>
        actions.sendMessage({
          channelId,
          message: contentOf(said),
          ...(mention === undefined
            ? {}
            : { mention: { userIds: mention.userIds ?? [], roleIds: mention.roleIds ?? [] } }),
          idempotencyKey: context.idempotencyKey,
          signal: context.signal,
        }),
      ),
  });

  const editMessage = defineAction({
    name: "discord.message.edit",
    kind: "external",
    description: "Changes a message that the bot has sent.",
    schema: z.strictObject({ channelId: id, messageId: id, message }),
    run: ({ message: said, ...place }, context) =>
      inChannel(place.channelId, context, () =>
        actions.editMessage({ ...place, message: contentOf(said), signal: context.signal }),
      ),
  });

  const sendDirectMessage = defineAction({
    name: "discord.direct_message.send",
    kind: "external",
    description: "Writes to a member of a Discord server.",
    schema: z.strictObject({ guildId: id, userId: id, message }),
    run: ({ guildId, userId, message: said }, context) =>
      inGuild(guildId, context, async () => {
        const { signal, idempotencyKey } = context;
        const member = await toResult(async () => {
          const path = `/guilds/${guildId}/members/${userId}`;
          await rest.request({ method: "GET", path, authorization: rest.botAuthorization(), signal });
          return {};
        });
        if (!member.ok) return member;
        return actions.sendDirectMessage({ userId, message: contentOf(said), idempotencyKey, signal });
      }),
  });

  return [grantRole, removeRole, sendMessage, editMessage, sendDirectMessage] as readonly Action[];
}

const NOT_YOURS: ActionResult = {
  ok: false,
  retry: false,
  reason: "not_of_tenant: the server or channel belongs to nobody or to somebody else",
};

function toActionResult(result: DiscordActionResult): ActionResult {
  if (result.ok) {
    const { ok: _ok, ...output } = result;
    return { ok: true, output };
  }
  const { retry, code, message: said } = result;
  const reason = `${code}: ${said}`;
  return { ok: false, retry, reason, ...(code === "rate_limited" ? { retryAfterMs: result.retryAfterMs } : {}) };
}

function contentOf({ content, buttons, color, ...embed }: z.infer<typeof message>): MessageContent {
  const parts = Object.fromEntries(Object.entries(embed).filter(([, value]) => value !== undefined && value !== ""));
  const shown = color === undefined ? parts : { ...parts, color: Number.parseInt(color.slice(1), 16) };
  return {
    ...(content === undefined ? {} : { content }),
    ...(Object.keys(parts).length === 0 ? {} : { embeds: [shown] }),
    buttons: (buttons ?? []).map(({ label, url }) => ({ kind: "link", label, url })),
  };
}
