import { PermissionFlagsBits as P } from "discord-api-types/v10";
import { DiscordSimulatorError } from "../errors.js";
import { commandData, type OptionValues } from "../interactions/command-options.js";
import { messageCommandData, userCommandData } from "../interactions/context-command.js";
import { type FieldValues, modalSubmission } from "../interactions/modal-fields.js";
import type { InteractionState } from "../interactions/model.js";
import { toFile } from "../interactions/uploaded-file.js";
import { attach } from "../rest/attached-files.js";
import { FLAGS } from "../rest/limits.js";
import type { Simulation } from "../simulation.js";
import { findGuild, findMember, findMessage, findUser } from "../world/look-up.js";
import type { ChannelState, CommandState, GuildState, MessageState, UserState, World } from "../world/model.js";
import { hasPermission, permissionsOf } from "../world/permissions.js";
import { chosenInMenu } from "./menu-choice.js";
import { channelFor, demandOf } from "./speech.js";

/** What people do with an application: commands, buttons, menus, modals. */
export interface InteractionActs {
  /** What the application offers while an option is being typed. */
  autocomplete(input: SlashInput & { readonly option: string; readonly text: string }): Promise<InteractionState>;
  slash(input: SlashInput): Promise<InteractionState>;
  /** A command from a member's menu. */
  useOnMember(
    input: ContextInput & { readonly target: string; readonly channel?: string | undefined },
  ): Promise<InteractionState>;
  /** A command from a message's menu. */
  useOnMessage(input: ContextInput & { readonly message: string }): Promise<InteractionState>;
  click(input: { member: string; message: string; button: string }): Promise<InteractionState>;
  select(input: {
    member: string;
    message: string;
    menu: string;
    values: readonly string[];
  }): Promise<InteractionState>;
  submitModal(input: { interaction: string; fields: FieldValues }): Promise<InteractionState>;
  reply(input: { interaction: string; timeoutMs: number }): Promise<MessageState>;
  followUps(input: { interaction: string }): readonly MessageState[];
}

interface SlashInput {
  readonly member: string;
  /** The name, and behind it a subcommand. */
  readonly command: string;
  readonly options?: OptionValues | undefined;
  readonly channel?: string | undefined;
}

interface ContextInput {
  readonly member: string;
  /** As the menu shows it. */
  readonly command: string;
}

type Component = Readonly<Record<string, unknown>>;

export function createInteractionActs(simulation: Simulation): InteractionActs {
  const { world, interactions } = simulation;

  function known(id: string): InteractionState {
    const interaction = interactions.byId(id);
    if (!interaction) {
      throw new DiscordSimulatorError("unknown_interaction", `There is no interaction ${id}.`);
    }
    return interaction;
  }

  function seen(input: { member: string; message: string }) {
    const user = findUser(world, input.member);
    const { channel, stored } = findMessage(world, input.message);
    if (stored.visibleTo !== null && stored.visibleTo !== user.user.id) {
      throw new DiscordSimulatorError("unknown_message", `${user.user.username} does not see that message.`);
    }
    demandOf(simulation, { user, channel }, P.ViewChannel);
    return { user, channel, stored };
  }

  function component(input: { member: string; message: string }, isMeant: (component: Component) => boolean) {
    const { user, channel, stored } = seen(input);
    const found = flatten(stored.message.components ?? []).find(isMeant);
    if (!found) {
      throw new DiscordSimulatorError("unknown_component", `Message ${input.message} has no such button or menu.`);
    }
    if (found.disabled === true || found.style === 5) {
      throw new DiscordSimulatorError("component_disabled", "It is disabled, or only a link.");
    }
    return { user, channel, stored, found };
  }

  const start = (
    where: { user: UserState; channel: ChannelState; stored: MessageState | null },
    type: InteractionState["type"],
    data: Record<string, unknown>,
  ) =>
    interactions.create({
      type,
      user: where.user,
      guild: guildOf(world, where.channel),
      channel: where.channel,
      data,
      source: where.stored,
      trigger: null,
    });

  function prepare({ member, command: typed, options = {}, channel: channelName = "general" }: SlashInput) {
    const user = findUser(world, member);
    const channel = channelFor(simulation, user, channelName);
    demandOf(simulation, { user, channel }, P.UseApplicationCommands);
    const guild = guildOf(world, channel);
    const [name = "", ...path] = typed.replace(/^\//, "").split(/\s+/);
    const command = registered(world, { name, type: 1 }, guild);
    demandCommand(command, { user, channel, guild });
    return { where: { user, channel, stored: null }, data: { world, guild, command, path, values: options } };
  }

  /** A command of a menu, as far as the person may use it there. */
  function fromMenu(caller: { user: UserState; channel: ChannelState }, wanted: { name: string; type: 2 | 3 }) {
    demandOf(simulation, caller, P.UseApplicationCommands);
    const guild = guildOf(world, caller.channel);
    const command = registered(world, wanted, guild);
    demandCommand(command, { ...caller, guild });
    return { command, guild };
  }

  return {
    async useOnMember({ member, target, command: name, channel: channelName = "general" }) {
      const user = findUser(world, member);
      const channel = channelFor(simulation, user, channelName);
      const found = fromMenu({ user, channel }, { name, type: 2 });
      return start({ user, channel, stored: null }, 2, userCommandData(found, findUser(world, target)));
    },

    async useOnMessage({ command: name, ...input }) {
      const { user, channel, stored } = seen(input);
      const found = fromMenu({ user, channel }, { name, type: 3 });
      return start({ user, channel, stored: null }, 2, messageCommandData(found, stored));
    },

    async slash(input) {
      const { where, data } = prepare(input);
      return start(where, 2, commandData(data));
    },

    async autocomplete({ option, text, ...input }) {
      const { where, data } = prepare(input);
      return start(where, 4, commandData({ ...data, focused: { name: option, text } }));
    },

    async click({ button, ...input }) {
      const where = component(
        input,
        ({ type, custom_id, label }) => type === 2 && (custom_id === button || label === button),
      );
      return start(where, 3, { component_type: 2, custom_id: where.found.custom_id, id: where.found.id });
    },

    async select({ menu, values, ...input }) {
      const isMenu = (type: unknown) => [3, 5, 6, 7, 8].includes(Number(type));
      const where = component(
        input,
        ({ type, custom_id, placeholder }) => isMenu(type) && (custom_id === menu || placeholder === menu),
      );
      const chosen = chosenInMenu(world, { menu: where.found, values, guild: guildOf(world, where.channel) });
      return start(where, 3, {
        component_type: where.found.type,
        custom_id: where.found.custom_id,
        id: where.found.id,
        ...chosen,
      });
    },

    async submitModal({ interaction: id, fields }) {
      const trigger = known(id);
      if (!trigger.modal) {
        throw new DiscordSimulatorError("no_modal", "That interaction showed no modal.");
      }
      const data = modalSubmission(trigger.modal, {
        values: fields,
        resolveEntities: (menu, values) => chosenInMenu(world, { menu, values, guild: trigger.guild }),
        upload: (file) => attach(simulation, toFile(file)),
      });
      return interactions.create({
        type: 5,
        user: trigger.user,
        guild: trigger.guild,
        channel: trigger.channel,
        data,
        source: trigger.source,
        trigger,
      });
    },

    async reply({ interaction: id, timeoutMs }) {
      const interaction = known(id);
      const isOver = () => interaction.status === "failed" || interaction.settled;
      await interactions.waitUntil(isOver, timeoutMs);
      if (interaction.failure) {
        const { message, detail } = interaction.failure;
        throw new DiscordSimulatorError("interaction_failed", `${message} (${detail}).`);
      }
      const { original } = interaction;
      if (!interaction.settled || !original || (Number(original.message.flags) & FLAGS.loading) !== 0) {
        const got = interaction.answer ?? "nothing";
        throw new DiscordSimulatorError("no_reply", `No visible answer within ${timeoutMs} ms; the last was: ${got}.`);
      }
      return original;
    },

    followUps: ({ interaction }) => known(interaction).followUps,
  };
}

function guildOf(world: World, channel: ChannelState): GuildState | null {
  return channel.guildId ? findGuild(world, channel.guildId) : null;
}

function registered(
  world: World,
  { name, type }: { readonly name: string; readonly type: number },
  guild: GuildState | null,
): CommandState {
  const candidates = [...world.commands.values()].filter(
    ({ command, guildId }) =>
      command.name === name && command.type === type && (guildId === null || guildId === guild?.id),
  );
  const found = candidates.find(({ guildId }) => guildId !== null) ?? candidates[0];
  if (!found) {
    throw new DiscordSimulatorError("unknown_command", `No command ${type === 1 ? "/" : ""}${name} is registered.`);
  }
  return found;
}

interface Caller {
  readonly user: UserState;
  readonly channel: ChannelState;
  readonly guild: GuildState | null;
}

/** A client does not even show a command to people without its default permissions. */
function demandCommand({ command }: CommandState, { user, channel, guild }: Caller): void {
  const needed = command.default_member_permissions;
  if (!guild || needed === null || needed === undefined) {
    return;
  }
  const permissions = permissionsOf(guild, findMember(guild, user), channel);
  const isAdministrator = hasPermission(permissions, P.Administrator);
  if (!isAdministrator && (needed === "0" || !hasPermission(permissions, BigInt(needed)))) {
    throw new DiscordSimulatorError("not_permitted", `${user.user.username} may not use /${command.name}.`);
  }
}

function flatten(components: readonly unknown[]): Component[] {
  return components.flatMap((item) => {
    const component = item as Component & { components?: readonly unknown[]; accessory?: unknown };
    return [
      component,
      ...flatten(component.components ?? []),
      ...(component.accessory ? flatten([component.accessory]) : []),
    ];
  });
}
