import type { World } from "../world/model.js";
import { channelPayload, memberPayload, messagePayload } from "../world/payloads.js";
import { botPermissions, permissionsOf } from "../world/permissions.js";
import type { InteractionState } from "./model.js";

const LOCALE = "en-US";

/** An interaction as Discord sends it, over HTTP and over the Gateway alike. */
export function interactionPayload(world: World, interaction: InteractionState): Record<string, unknown> {
  const { guild, channel, user, source } = interaction;
  const member = guild?.members.get(user.user.id);
  return {
    id: interaction.id,
    application_id: world.application.id,
    type: interaction.type,
    token: interaction.token,
    version: 1,
    data: interaction.data,
    channel_id: channel.id,
    channel: {
      ...channelPayload(channel),
      ...(guild && member ? { permissions: permissionsOf(guild, member, channel).toString() } : {}),
    },
    ...(guild && member
      ? {
          guild_id: guild.id,
          guild: { id: guild.id, locale: LOCALE, features: [] },
          guild_locale: LOCALE,
          member: { ...memberPayload(member), permissions: permissionsOf(guild, member, channel).toString() },
        }
      : { user: user.user }),
    ...(source ? { message: messagePayload(source, world.application.bot.id) } : {}),
    app_permissions: botPermissions(world, channel).toString(),
    locale: LOCALE,
    entitlements: [],
    authorizing_integration_owners: { "0": guild?.id ?? "0" },
    context: guild ? 0 : 1,
    attachment_size_limit: 10_485_760,
  };
}

/** What a message that answers an interaction says of it. */
export function interactionMetadata(interaction: InteractionState): Record<string, unknown> {
  const { id, type, user, guild, data, source, trigger } = interaction;
  return {
    id,
    type,
    user: user.user,
    authorizing_integration_owners: { "0": guild?.id ?? "0" },
    ...(type === 2 ? { name: data.name, command_type: data.type } : {}),
    ...(type === 3 && source ? { interacted_message_id: source.message.id } : {}),
    ...(type === 5 && trigger ? { triggering_interaction_metadata: interactionMetadata(trigger) } : {}),
  };
}
