import { ApplicationCommandOptionType, ApplicationCommandType, PermissionFlagsBits } from "discord-api-types/v10";
import { z } from "zod";
import { DiscordConnectorError, isDiscordConnectorError } from "../errors.js";
import type { CommandOption } from "../interactions/command-options.js";
import type { DiscordCommand } from "../interactions/define-command.js";
import type { AnyCommand } from "../interactions/handlers.js";
import { assertOption } from "../options.js";
import { isSnowflake } from "../snowflake.js";
import type { DiscordRest, RestRequest } from "./discord-rest.js";

export interface RegisterCommandsOptions {
  /** Only for this server, where changes show at once; everywhere when absent. */
  readonly guildId?: string;
  /** What was ours once and is to go: names of slash commands, or kind and name. Commands that are named nowhere are never touched. */
  readonly retired?: readonly CommandReference[];
  /** What is ours and not for this server: it is not registered there, and removed where it is. */
  readonly without?: readonly CommandReference[];
  /** Remembers what is ours there, so that a command which is no longer defined goes without being named. */
  readonly memory?: CommandMemory;
}

/** A command as Discord tells it apart. */
export type CommandName = Pick<AnyCommand, "kind" | "name">;

/** Which commands are ours in one place, a server or everywhere: have one for each. */
export interface CommandMemory {
  /** Nothing at first. */
  read(): Promise<readonly CommandName[]>;
  /** Replaces what is remembered. Called before and after the changes, so that a crash forgets nothing. */
  write(commands: readonly CommandName[]): Promise<void>;
}

/** A slash command by its name, any command by kind and name. */
export type CommandReference = string | CommandName;

/** The names of our commands by what was done about them. */
export interface RegisteredCommands {
  readonly created: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly unchanged: readonly string[];
}

const listSchema = z.array(z.looseObject({ id: z.string(), name: z.string(), type: z.number().default(1) }));

const COMMAND_TYPES = {
  command: ApplicationCommandType.ChatInput,
  "command-group": ApplicationCommandType.ChatInput,
  "user-command": ApplicationCommandType.User,
  "message-command": ApplicationCommandType.Message,
} as const satisfies Record<AnyCommand["kind"], ApplicationCommandType>;

const OPTION_TYPES = {
  string: ApplicationCommandOptionType.String,
  integer: ApplicationCommandOptionType.Integer,
  number: ApplicationCommandOptionType.Number,
  boolean: ApplicationCommandOptionType.Boolean,
  user: ApplicationCommandOptionType.User,
  channel: ApplicationCommandOptionType.Channel,
  role: ApplicationCommandOptionType.Role,
} as const;

/** Nobody waits for it, and a start with many commands may take a while. */
const MAX_WAIT_MS = 30_000;

/** Brings our commands up to date one by one: what others have registered stays, and nothing is sent for what fits. */
export async function registerCommands(
  rest: DiscordRest,
  target: { readonly applicationId: string; readonly commands: readonly AnyCommand[] },
  { guildId, retired = [], without = [], memory }: RegisterCommandsOptions,
): Promise<RegisteredCommands> {
  assertOption(guildId === undefined || isSnowflake(guildId), "guildId is not an id of Discord's.");
  const shared = { authorization: rest.botAuthorization(), maxWaitMs: MAX_WAIT_MS };
  const change = async (command: CommandName, request: Pick<RestRequest, "method" | "path" | "body">) => {
    try {
      await rest.request({ ...request, ...shared });
    } catch (error) {
      throw isDiscordConnectorError(error) ? of(command, error) : error;
    }
  };
  const base = `/applications/${target.applicationId}${guildId === undefined ? "" : `/guilds/${guildId}`}/commands`;
  const ours = new Set(target.commands.map(keyOf));
  const gone = retired.map(toCommand);
  for (const one of gone) {
    if (!ours.has(keyOf(one))) continue;
    throw new DiscordConnectorError(
      "invalid_option",
      `The ${one.kind} "${one.name}" is defined and can't be retired at the same time.`,
    );
  }
  const toRemove = [...gone, ...without.map(toCommand)];
  const excluded = new Set(toRemove.map(keyOf));
  const wanted = target.commands.filter((one) => !excluded.has(keyOf(one)));
  const kept = new Set([...excluded, ...wanted.map(keyOf)]);
  const remembered = (await memory?.read()) ?? [];
  toRemove.push(...remembered.filter((one) => !kept.has(keyOf(one))));
  await memory?.write(namesOf([...toRemove, ...wanted]));
  const listed = listSchema.parse(await rest.request({ method: "GET", path: base, ...shared }));
  const registered = new Map(listed.map((entry) => [`${entry.type} ${entry.name}`, entry]));
  const done = { created: [] as string[], changed: [] as string[], removed: [] as string[], unchanged: [] as string[] };

  for (const command of wanted) {
    const body = commandBody(command);
    const known = registered.get(keyOf(command));
    if (known === undefined) {
      await change(command, { method: "POST", path: base, body });
      done.created.push(command.name);
    } else if (comparable(known) === comparable(body)) {
      done.unchanged.push(command.name);
    } else {
      await change(command, { method: "PATCH", path: `${base}/${known.id}`, body });
      done.changed.push(command.name);
    }
  }
  for (const one of toRemove) {
    const known = registered.get(keyOf(one));
    if (known === undefined) continue;
    await change(one, { method: "DELETE", path: `${base}/${known.id}` });
    done.removed.push(one.name);
  }
  await memory?.write(namesOf(wanted));
  return done;
}

/** The path does not say which command it was. */
function of({ kind, name }: CommandName, { code, message, ...details }: DiscordConnectorError): DiscordConnectorError {
  return new DiscordConnectorError(code, `The ${kind} "${name}": ${message}`, details);
}

function namesOf(commands: readonly CommandName[]): readonly CommandName[] {
  return commands.map(({ kind, name }) => ({ kind, name }));
}

function toCommand(reference: CommandReference): CommandName {
  return typeof reference === "string" ? { kind: "command", name: reference } : reference;
}

/** Discord tells commands apart by type and name: a message's menu may hold what a slash command is called. */
function keyOf({ kind, name }: CommandName): string {
  return `${COMMAND_TYPES[kind]} ${name}`;
}

function commandBody(command: AnyCommand) {
  const permissions = command.visibleTo?.reduce((bits, name) => bits | PermissionFlagsBits[name], 0n);
  return {
    name: command.name,
    type: COMMAND_TYPES[command.kind],
    ...(command.kind === "command" ? slashBody(command) : {}),
    ...(command.kind === "command-group"
      ? { description: command.description, options: command.subcommands.map(subcommandBody) }
      : {}),
    default_member_permissions: permissions === undefined ? null : String(permissions),
  };
}

function slashBody({ description, options }: DiscordCommand) {
  return { description, options: Object.entries(options).map(([name, option]) => optionBody(name, option)) };
}

/** Its name is `desk open`; Discord knows it as `open` of `desk`. */
function subcommandBody(command: DiscordCommand) {
  const name = command.name.slice(command.name.indexOf(" ") + 1);
  return { name, type: ApplicationCommandOptionType.Subcommand, ...slashBody(command) };
}

function optionBody(name: string, option: CommandOption) {
  return {
    name,
    type: OPTION_TYPES[option.type],
    description: option.description,
    required: option.required ?? false,
    ...("autocomplete" in option ? { autocomplete: true } : {}),
    ...("choices" in option && option.choices ? { choices: option.choices } : {}),
    ...("minLength" in option && option.minLength !== undefined ? { min_length: option.minLength } : {}),
    ...("maxLength" in option && option.maxLength !== undefined ? { max_length: option.maxLength } : {}),
    ...("minValue" in option && option.minValue !== undefined ? { min_value: option.minValue } : {}),
    ...("maxValue" in option && option.maxValue !== undefined ? { max_value: option.maxValue } : {}),
  };
}

/** What we set of a command, as one text; Discord leaves out what is false or empty and adds much of its own. */
function comparable(command: Readonly<Record<string, unknown>>): string {
  const { description = "", default_member_permissions: permissions } = command;
  return JSON.stringify({ description, options: comparableOptions(command.options), permissions: permissions ?? null });
}

/** Those of a subcommand among them. */
function comparableOptions(options: unknown): readonly object[] {
  return (Array.isArray(options) ? options : []).map((option: Record<string, unknown>) => ({
    name: option.name,
    type: option.type,
    description: option.description,
    required: option.required ?? false,
    autocomplete: option.autocomplete ?? false,
    choices: (Array.isArray(option.choices) ? option.choices : []).map(
      ({ name, value }: { name: unknown; value: unknown }) => ({ name, value }),
    ),
    min_length: option.min_length ?? null,
    max_length: option.max_length ?? null,
    min_value: option.min_value ?? null,
    max_value: option.max_value ?? null,
    options: comparableOptions(option.options),
  }));
}
