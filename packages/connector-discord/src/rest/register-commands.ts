import { ApplicationCommandOptionType, ApplicationCommandType, PermissionFlagsBits } from "discord-api-types/v10";
import { z } from "zod";
import { DiscordConnectorError } from "../errors.js";
import type { CommandOption } from "../interactions/command-options.js";
import type { DiscordCommand } from "../interactions/define-command.js";
import type { DiscordRest } from "./discord-rest.js";

export interface RegisterCommandsOptions {
  /** Only for this server, where changes show at once; everywhere when absent. */
  readonly guildId?: string;
  /** Names that were ours once and are to go. Commands that are named nowhere are never touched. */
  readonly retired?: readonly string[];
}

/** The names of our commands by what was done about them. */
export interface RegisteredCommands {
  readonly created: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly unchanged: readonly string[];
}

const listSchema = z.array(z.looseObject({ id: z.string(), name: z.string(), type: z.number().default(1) }));

const OPTION_TYPES = {
  string: ApplicationCommandOptionType.String,
  integer: ApplicationCommandOptionType.Integer,
  number: ApplicationCommandOptionType.Number,
  boolean: ApplicationCommandOptionType.Boolean,
  user: ApplicationCommandOptionType.User,
  channel: ApplicationCommandOptionType.Channel,
  role: ApplicationCommandOptionType.Role,
} as const;

/** Brings our commands up to date one by one: what others have registered stays, and nothing is sent for what fits. */
export async function registerCommands(
  rest: DiscordRest,
  target: { readonly applicationId: string; readonly commands: readonly DiscordCommand[] },
  { guildId, retired = [] }: RegisterCommandsOptions,
): Promise<RegisteredCommands> {
  const authorization = rest.botAuthorization();
  const base = `/applications/${target.applicationId}${guildId === undefined ? "" : `/guilds/${guildId}`}/commands`;
  const ours = new Set(target.commands.map((command) => command.name));
  for (const name of retired) {
    if (!ours.has(name)) continue;
    throw new DiscordConnectorError("invalid_option", `/${name} is defined and can't be retired at the same time.`);
  }
  const listed = listSchema.parse(await rest.request({ method: "GET", path: base, authorization }));
  const registered = new Map(
    listed.filter((entry) => entry.type === ApplicationCommandType.ChatInput).map((entry) => [entry.name, entry]),
  );
  const done = { created: [] as string[], changed: [] as string[], removed: [] as string[], unchanged: [] as string[] };

  for (const command of target.commands) {
    const body = commandBody(command);
    const known = registered.get(command.name);
    if (known === undefined) {
      await rest.request({ method: "POST", path: base, body, authorization });
      done.created.push(command.name);
    } else if (comparable(known) === comparable(body)) {
      done.unchanged.push(command.name);
    } else {
      await rest.request({ method: "PATCH", path: `${base}/${known.id}`, body, authorization });
      done.changed.push(command.name);
    }
  }
  for (const name of retired) {
    const known = registered.get(name);
    if (known === undefined) continue;
    await rest.request({ method: "DELETE", path: `${base}/${known.id}`, authorization });
    done.removed.push(name);
  }
  return done;
}

function commandBody(command: DiscordCommand) {
  const permissions = command.visibleTo?.reduce((bits, name) => bits | PermissionFlagsBits[name], 0n);
  return {
    name: command.name,
    type: ApplicationCommandType.ChatInput,
    description: command.description,
    options: Object.entries(command.options).map(([name, option]) => optionBody(name, option)),
    default_member_permissions: permissions === undefined ? null : String(permissions),
  };
}

function optionBody(name: string, option: CommandOption) {
  return {
    name,
    type: OPTION_TYPES[option.type],
    description: option.description,
    required: option.required ?? false,
    ...("choices" in option && option.choices ? { choices: option.choices } : {}),
    ...("minLength" in option && option.minLength !== undefined ? { min_length: option.minLength } : {}),
    ...("maxLength" in option && option.maxLength !== undefined ? { max_length: option.maxLength } : {}),
    ...("minValue" in option && option.minValue !== undefined ? { min_value: option.minValue } : {}),
    ...("maxValue" in option && option.maxValue !== undefined ? { max_value: option.maxValue } : {}),
  };
}

/** What we set of a command, as one text; Discord leaves out what is false or empty and adds much of its own. */
function comparable(command: Readonly<Record<string, unknown>>): string {
  const { description, default_member_permissions: permissions } = command;
  const options = (Array.isArray(command.options) ? command.options : []).map((option: Record<string, unknown>) => ({
    name: option.name,
    type: option.type,
    description: option.description,
    required: option.required ?? false,
    choices: (Array.isArray(option.choices) ? option.choices : []).map(
      ({ name, value }: { name: unknown; value: unknown }) => ({ name, value }),
    ),
    min_length: option.min_length ?? null,
    max_length: option.max_length ?? null,
    min_value: option.min_value ?? null,
    max_value: option.max_value ?? null,
  }));
  return JSON.stringify({ description, options, permissions: permissions ?? null });
}
