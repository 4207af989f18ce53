import { DiscordConnectorError } from "../errors.js";
import { snowflakeTimeMs } from "../snowflake.js";
import { type Autocompletion, findAutocompletion } from "./autocomplete.js";
import { calledCommand } from "./called-command.js";
import type { ComponentKind, ComponentRoute, CustomIds } from "./custom-id.js";
import type { DiscordButton } from "./define-button.js";
import type { DiscordCommand } from "./define-command.js";
import type { DiscordCommandGroup } from "./define-command-group.js";
import type { DiscordMessageCommand, DiscordUserCommand } from "./define-context-command.js";
import type { DiscordModal } from "./define-modal.js";
import type { DiscordSelect } from "./define-select.js";
import type { DiscordInteraction } from "./interaction.js";
import { readModalFields } from "./modal-values.js";
import { offeredTo } from "./offered-options.js";
import {
  COMMAND_TYPE,
  commandDataSchema,
  componentDataSchema,
  INTERACTION,
  type InteractionPayload,
  modalDataSchema,
} from "./payload.js";
import { memberOf, userOf } from "./people.js";
import { resolvedUser } from "./resolved.js";
import { readSelectValues } from "./select-values.js";
import { SENTENCES } from "./sentences.js";
import { readCommandOptions } from "./submitted-values.js";

/** A command for the connector's `commands`. */
export type AnyCommand = DiscordCommand | DiscordCommandGroup | DiscordUserCommand | DiscordMessageCommand;
/** A definition for the connector's `components`. */
export type AnyComponent = DiscordButton | DiscordSelect | DiscordModal;
/** What has a handler: of a group, its subcommands. */
export type Definition = Exclude<AnyCommand, DiscordCommandGroup> | AnyComponent;

/** What an interaction leads to. */
export type Found =
  | {
      readonly kind: "found";
      readonly definition: Definition;
      /** Complete for this definition: with options, params, fields, message. */
      readonly interaction: DiscordInteraction;
      /** Whether what was chosen is offered, for a menu whose options a function says. */
      readonly isOffered?: () => Promise<boolean>;
    }
  /** The definition is gone, or the custom_id is not ours. */
  | { readonly kind: "unknown"; readonly what: "command" | ComponentKind }
  /** What was submitted does not fit; the sentence is for the member. */
  | { readonly kind: "invalid"; readonly message: string };

export interface InteractionOrigin {
  readonly tenantId: string;
  readonly attempt: number;
  readonly lastAttempt: boolean;
  readonly signal: AbortSignal;
}

export interface Handlers {
  find(payload: InteractionPayload, origin: InteractionOrigin): Found;
  /** Null where nothing is offered. */
  findAutocompletion(payload: InteractionPayload, origin: InteractionOrigin): Autocompletion | null;
  has(kind: ComponentKind, name: string): boolean;
}

const COMMAND_KINDS: ReadonlyMap<number, "command" | "user-command" | "message-command"> = new Map([
  [COMMAND_TYPE.slash, "command"],
  [COMMAND_TYPE.user, "user-command"],
  [COMMAND_TYPE.message, "message-command"],
]);

/** Finds the definition for an interaction: at once, and again when a deferred one is run. Throws `duplicate_name`. */
export function createHandlers(options: {
  readonly commands: readonly AnyCommand[];
  readonly components: readonly AnyComponent[];
  readonly customIds: CustomIds;
}): Handlers {
  const called = options.commands.flatMap((one): readonly Definition[] =>
    one.kind === "command-group" ? one.subcommands : [one],
  );
  assertNoGroupIsCommand(options.commands);
  const definitions = byKindAndName([...called, ...options.components]);
  const get = <Kind extends Definition["kind"]>(kind: Kind, name: string) =>
    definitions.get(keyOf({ kind, name })) as Extract<Definition, { kind: Kind }> | undefined;

  function findCommand(payload: InteractionPayload, base: DiscordInteraction): Found {
    const data = commandDataSchema.safeParse(payload.data).data;
    const kind = COMMAND_KINDS.get(data?.type ?? 0);
    const call = data && calledCommand(data);
    const definition = call && kind && get(kind, call.name);
    if (data === undefined || definition === undefined) return { kind: "unknown", what: "command" };
    if (definition.kind === "command") {
      const values = readCommandOptions(definition.options, call?.options ?? []);
      return values.ok ? found(definition, base, { options: values.values }) : { kind: "invalid", ...values };
    }
    const target = data.target_id ?? "";
    if (definition.kind === "user-command") {
      const user = resolvedUser(data.resolved, target);
      return user ? found(definition, base, { target: user }) : { kind: "invalid", message: SENTENCES.unfitChoice };
    }
    const message = data.resolved.messages[target];
    if (message === undefined) return { kind: "invalid", message: SENTENCES.unfitChoice };
    const { id, channel_id: channelId, content, author } = message;
    return found(definition, base, {
      target: { id, channelId: channelId ?? base.channelId, content, author: userOf(author) },
    });
  }

  /** The definition of one of our custom_ids, with its params by their names. */
  function routed<Kind extends ComponentKind>(kind: Kind, route: ComponentRoute | null) {
    if (route?.kind !== kind) return null;
    const definition: Extract<AnyComponent, { kind: Kind }> | undefined = get(kind, route.name);
    const params = definition && namedParams(definition.params, route.params);
    return definition && params ? { definition, params } : null;
  }

  function findComponent(payload: InteractionPayload, base: DiscordInteraction): Found {
    const data = componentDataSchema.safeParse(payload.data).data;
    const route = data === undefined ? null : options.customIds.decode(data.custom_id);
    const message = messageOf(payload);
    const button = routed("button", route);
    if (button && message) return found(button.definition, base, { params: button.params, message });
    const select = routed("select", route);
    if (data === undefined || select === null || message === null) {
      return { kind: "unknown", what: route?.kind === "select" ? "select" : "button" };
    }
    const values = readSelectValues(select.definition, data);
    if (values === null) return { kind: "invalid", message: SENTENCES.unfitChoice };
    const { definition, params } = select;
    const chosen = found(definition, base, { params, values, message });
    const { choose } = definition;
    if (typeof choose !== "function") return chosen;
    const isOffered = async () => {
      const offered = new Set((await offeredTo(choose, base, params)).map(({ value }) => value));
      return data.values.every((value) => offered.has(value));
    };
    return { ...chosen, isOffered };
  }

  function findModal(payload: InteractionPayload, base: DiscordInteraction): Found {
    const data = modalDataSchema.safeParse(payload.data).data;
    const modal = routed("modal", data === undefined ? null : options.customIds.decode(data.custom_id));
    if (data === undefined || modal === null) return { kind: "unknown", what: "modal" };
    const fields = data.components.flatMap((row) => row.components ?? (row.component ? [row.component] : []));
    const values = readModalFields(modal.definition.fields, { fields, resolved: data.resolved });
    if (!values.ok) return { kind: "invalid", message: values.message };
    return found(modal.definition, base, { params: modal.params, fields: values.values, message: messageOf(payload) });
  }

  return {
    find(payload, origin) {
      const base = baseOf(payload, origin);
      if (payload.type === INTERACTION.command) return findCommand(payload, base);
      if (payload.type === INTERACTION.modal) return findModal(payload, base);
      return findComponent(payload, base);
    },
    findAutocompletion(payload, origin) {
      return findAutocompletion(payload.data, baseOf(payload, origin), (name) => get("command", name));
    },
    has: (kind, name) => get(kind, name) !== undefined,
  };
}

/**
 * Calls the definition's handler. Definitions are kept without their type parameters, and {@link Handlers.find} has
 * built the interaction for this very definition, so the cast says what the lists can't.
 */
export async function runHandler(definition: Definition, interaction: DiscordInteraction) {
  const answer = await definition.run(interaction as never);
  if (ANSWERS.has((answer as { readonly kind?: unknown } | undefined)?.kind)) return answer;
  throw new DiscordConnectorError(
    "invalid_definition",
    `The ${definition.kind} "${definition.name}" answered ${typeof answer}; it takes reply(…), updateMessage(…) or showModal(…).`,
  );
}

const ANSWERS: ReadonlySet<unknown> = new Set(["reply", "update", "modal"]);

function keyOf({ kind, name }: Pick<Definition, "kind" | "name">): string {
  return `${kind} ${name}`;
}

function byKindAndName(definitions: readonly Definition[]): ReadonlyMap<string, Definition> {
  const map = new Map<string, Definition>();
  for (const definition of definitions) {
    if (map.has(keyOf(definition))) {
      throw new DiscordConnectorError(
        "duplicate_name",
        `There are two definitions of the ${definition.kind} "${definition.name}".`,
      );
    }
    map.set(keyOf(definition), definition);
  }
  return map;
}

/** For Discord a group is a slash command. */
function assertNoGroupIsCommand(commands: readonly AnyCommand[]): void {
  const slashes = commands.filter(({ kind }) => kind === "command" || kind === "command-group");
  const twice = slashes.find(({ name }, index) => slashes.findIndex((other) => other.name === name) !== index);
  if (twice) throw new DiscordConnectorError("duplicate_name", `There are two commands called /${twice.name}.`);
}

function found(definition: Definition, base: DiscordInteraction, submitted: object): Extract<Found, { kind: "found" }> {
  return { kind: "found", definition, interaction: { ...base, ...submitted } };
}

function namedParams(names: readonly string[], values: readonly string[]): Readonly<Record<string, string>> | null {
  // A definition that has changed its params does not understand the buttons of before.
  if (names.length !== values.length) return null;
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? ""]));
}

function messageOf(payload: InteractionPayload) {
  if (payload.message === null || payload.message === undefined) return null;
  return { id: payload.message.id, channelId: payload.message.channel_id ?? payload.channel_id ?? null };
}

function baseOf(payload: InteractionPayload, origin: InteractionOrigin): DiscordInteraction {
  const user = payload.member?.user ?? payload.user;
  if (user === null || user === undefined) throw new TypeError("An interaction without a user was not refused.");
  return {
    id: payload.id,
    applicationId: payload.application_id,
    tenantId: origin.tenantId,
    guildId: payload.guild_id ?? null,
    channelId: payload.channel_id ?? null,
    channelName: payload.channel?.name ?? null,
    user: userOf(user),
    member: memberOf(payload.member),
    locale: payload.locale ?? null,
    createdAt: new Date(snowflakeTimeMs(payload.id)),
    attempt: origin.attempt,
    lastAttempt: origin.lastAttempt,
    signal: origin.signal,
  };
}
