import { DiscordSimulatorError } from "../errors.js";
import { findChannel, findRole, findUser } from "../world/look-up.js";
import type { CommandState, GuildState, World } from "../world/model.js";
import { channelPayload, memberWithoutUser } from "../world/payloads.js";

/** What a person typed behind a command: option names and values. Users, roles and channels by name or id. */
export type OptionValues = Readonly<Record<string, string | number | boolean>>;

interface OptionDefinition {
  readonly type: number;
  readonly name: string;
  readonly required?: boolean;
  readonly options?: readonly OptionDefinition[];
  readonly choices?: readonly { readonly name: string; readonly value: string | number }[];
  readonly min_length?: number;
  readonly max_length?: number;
  readonly min_value?: number;
  readonly max_value?: number;
}

interface CommandDataInput {
  readonly world: World;
  readonly guild: GuildState | null;
  readonly command: CommandState;
  /** Subcommand group and subcommand, as typed behind the command's name. */
  readonly path: readonly string[];
  readonly values: OptionValues;
  /** The option that is still being typed, for autocomplete: nothing is required yet. */
  readonly focused?: { readonly name: string; readonly text: string } | undefined;
}

/** Discord's `data` of a command, once the client has checked what was typed. */
export function commandData(input: CommandDataInput): Record<string, unknown> {
  const { command, guild } = input;
  const resolved: Resolved = { users: {}, members: {}, roles: {}, channels: {} };
  const definitions = (command.command.options ?? []) as unknown as readonly OptionDefinition[];
  const options = fillPath(input, definitions, { path: input.path, resolved });
  const filled = Object.fromEntries(Object.entries(resolved).filter(([, found]) => Object.keys(found).length > 0));
  return {
    id: command.command.id,
    name: command.command.name,
    type: command.command.type,
    ...(command.guildId && guild ? { guild_id: guild.id } : {}),
    ...(options.length > 0 ? { options } : {}),
    ...(Object.keys(filled).length > 0 ? { resolved: filled } : {}),
  };
}

type Resolved = Record<"users" | "members" | "roles" | "channels", Record<string, unknown>>;

interface FillState {
  readonly path: readonly string[];
  readonly resolved: Resolved;
}

function fillPath(input: CommandDataInput, definitions: readonly OptionDefinition[], state: FillState): unknown[] {
  const [next, ...rest] = state.path;
  const nested = definitions.filter(({ type }) => type === 1 || type === 2);
  if (next !== undefined || nested.length > 0) {
    const found = nested.find(({ name }) => name === next);
    if (!found) {
      const names = nested.map(({ name }) => name).join(", ");
      throw new DiscordSimulatorError(
        "invalid_option",
        `Choose a subcommand of /${input.command.command.name}: ${names}.`,
      );
    }
    return [
      { type: found.type, name: found.name, options: fillPath(input, found.options ?? [], { ...state, path: rest }) },
    ];
  }
  const unknown = Object.keys(input.values).find((name) => !definitions.some((definition) => definition.name === name));
  if (unknown !== undefined) {
    throw new DiscordSimulatorError("invalid_option", `/${input.command.command.name} has no option "${unknown}".`);
  }
  return definitions.flatMap((definition) => {
    const value = input.values[definition.name];
    if (input.focused?.name === definition.name) {
      return [{ type: definition.type, name: definition.name, value: input.focused.text, focused: true }];
    }
    if (value === undefined) {
      if (definition.required && !input.focused) {
        throw new DiscordSimulatorError("invalid_option", `The option "${definition.name}" is required.`);
      }
      return [];
    }
    return [{ type: definition.type, name: definition.name, value: checkedValue(input, definition, { value, state }) }];
  });
}

interface Typed {
  readonly value: string | number | boolean;
  readonly state: FillState;
}

function checkedValue(input: CommandDataInput, definition: OptionDefinition, { value, state }: Typed): unknown {
  const { world, guild } = input;
  const { resolved } = state;
  const choice = definition.choices?.find((candidate) => candidate.value === value || candidate.name === value);
  if (definition.choices && definition.choices.length > 0 && !choice) {
    const names = definition.choices.map(({ name }) => name).join(", ");
    throw new DiscordSimulatorError("invalid_option", `"${definition.name}" must be one of ${names}.`);
  }
  switch (definition.type) {
    case 3:
      return checkedText(definition, choice?.value ?? value);
    case 4:
    case 10:
      return checkedNumber(definition, choice?.value ?? value);
    case 5:
      if (typeof value !== "boolean") {
        throw new DiscordSimulatorError("invalid_option", `"${definition.name}" must be true or false.`);
      }
      return value;
    case 6:
    case 9: {
      const { user } = findUser(world, String(value));
      const member = guild?.members.get(user.id);
      resolved.users[user.id] = user;
      if (member) {
        resolved.members[user.id] = memberWithoutUser(member);
      }
      return user.id;
    }
    case 7: {
      const channel = findChannel(world, String(value), guild?.id);
      resolved.channels[channel.id] = channelPayload(channel);
      return channel.id;
    }
    case 8: {
      if (!guild) {
        throw new DiscordSimulatorError("unknown_role", "There are no roles in a direct message.");
      }
      const role = findRole(guild, String(value));
      resolved.roles[role.id] = role;
      return role.id;
    }
    default:
      throw new DiscordSimulatorError("invalid_option", `Options of type ${definition.type} cannot be typed here.`);
  }
}

function checkedText(definition: OptionDefinition, value: unknown): string {
  const { name, min_length: min = 0, max_length: max = 6000 } = definition;
  // Discord counts characters, not UTF-16 units.
  const length = typeof value === "string" ? [...value].length : -1;
  if (typeof value !== "string" || length < min || length > max) {
    throw new DiscordSimulatorError("invalid_option", `"${name}" must be text of ${min} to ${max} characters.`);
  }
  return value;
}

function checkedNumber(definition: OptionDefinition, value: unknown): number {
  const { name, min_value: min = -(2 ** 53), max_value: max = 2 ** 53, type } = definition;
  const fits = typeof value === "number" && value >= min && value <= max && (type === 10 || Number.isInteger(value));
  if (!fits) {
    throw new DiscordSimulatorError("invalid_option", `"${name}" must be a number from ${min} to ${max}.`);
  }
  return value;
}
