import { modalFields } from "../interactions/modal-fields.js";
import type { InteractionState } from "../interactions/model.js";
import type { Simulation } from "../simulation.js";
import type { GuildState, MessageState, World } from "../world/model.js";
import { messagePayload } from "../world/payloads.js";
import type {
  InteractionView,
  SimulatedApplication,
  SimulatedGuild,
  SimulatedMessage,
  SimulatorState,
} from "./contract.js";

export function applicationView({ application }: World): SimulatedApplication {
  return {
    id: application.id,
    clientId: application.id,
    clientSecret: application.clientSecret,
    name: application.name,
    publicKeyHex: application.publicKeyHex,
    botToken: application.botToken,
    interactionsUrl: application.interactionsUrl,
  };
}

/** `me` of a reaction is meant for the viewer; without one, for the bot. */
export function messageView(world: World, stored: MessageState, viewerId?: string): SimulatedMessage {
  return {
    ...messagePayload(stored, viewerId ?? world.application.bot.id),
    guild_id: stored.guildId,
    channel_name: world.channels.get(stored.message.channel_id)?.name ?? null,
    ephemeral: stored.visibleTo !== null,
    visible_to: stored.visibleTo,
  } as SimulatedMessage;
}

export function interactionView({ id, status, answer, modal, failure }: InteractionState): InteractionView {
  return {
    id,
    status,
    answer,
    modal: modal ? { customId: String(modal.custom_id), title: String(modal.title), fields: modalFields(modal) } : null,
    failure,
  };
}

export function stateView({ world, gateway, authorizations, origin, rateLimits, now }: Simulation): SimulatorState {
  return {
    url: origin(),
    now: new Date(now()).toISOString(),
    application: applicationView(world),
    guilds: [...world.guilds.values()].map((guild) => guildView(world, guild)),
    commands: [...world.commands.values()].map(({ command, guildId }) => ({
      id: command.id,
      name: command.name,
      description: command.description,
      type: command.type,
      options: command.options ?? [],
      guildId,
    })),
    authorizations: authorizations.list(),
    gateway: {
      connections: gateway.connections(),
      sessions: gateway.sessions(),
      identifiesLeft: gateway.startLimit.payload().remaining,
    },
    rest: rateLimits.state(),
  };
}

function guildView(world: World, guild: GuildState): SimulatedGuild {
  const roleName = (id: string) => guild.roles.get(id)?.name ?? id;
  return {
    id: guild.id,
    name: guild.name,
    channels: [...guild.channels.values()].map(({ id, name, topic, parentId }) => ({ id, name, topic, parentId })),
    roles: [...guild.roles.values()].map(({ id, name, colors }) => ({ id, name, color: colors.primary_color })),
    members: [...guild.members.values()].map((member) => ({
      id: member.user.id,
      username: member.user.username,
      displayName: member.nick ?? member.user.global_name ?? member.user.username,
      bot: member.user.bot ?? false,
      roles: member.roles.map(roleName),
      status: world.users.get(member.user.id)?.presence.status ?? "offline",
      joinedAt: member.joinedAt,
    })),
  };
}
