import { DiscordConnectorError } from "../errors.js";
import { snowflakeTimeMs } from "../snowflake.js";
import type { ComponentKind, CustomIds } from "./custom-id.js";
import type { DiscordButton } from "./define-button.js";
import type { DiscordCommand } from "./define-command.js";
import type { DiscordModal } from "./define-modal.js";
import type { DiscordInteraction } from "./interaction.js";
import {
  commandDataSchema,
  componentDataSchema,
  INTERACTION,
  type InteractionPayload,
  modalDataSchema,
} from "./payload.js";
import { readCommandOptions, readModalFields } from "./submitted-values.js";

export type Definition = DiscordCommand | DiscordButton | DiscordModal;

/** What an interaction leads to. */
export type Found =
  | {
      readonly kind: "found";
      readonly definition: Definition;
      /** Complete for this definition: with options, params, fields, message. */
      readonly interaction: DiscordInteraction;
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
  has(kind: ComponentKind, name: string): boolean;
}

/** Finds the definition for an interaction: at once, and again when a deferred one is run. Throws `duplicate_name`. */
export function createHandlers(options: {
  readonly commands: readonly DiscordCommand[];
  readonly components: readonly (DiscordButton | DiscordModal)[];
  readonly customIds: CustomIds;
}): Handlers {
  const commands = byName(options.commands);
  const buttons = byName(options.components.filter((component) => component.kind === "button"));
  const modals = byName(options.components.filter((component) => component.kind === "modal"));

  function findCommand(payload: InteractionPayload, base: DiscordInteraction): Found {
    const data = commandDataSchema.safeParse(payload.data).data;
    const definition = data?.type === 1 ? commands.get(data.name) : undefined;
    if (data === undefined || definition === undefined) return { kind: "unknown", what: "command" };
    const values = readCommandOptions(definition.options, data.options);
    if (!values.ok) return { kind: "invalid", message: values.message };
    return found(definition, base, { options: values.values });
  }

  function findButton(payload: InteractionPayload, base: DiscordInteraction): Found {
    const data = componentDataSchema.safeParse(payload.data).data;
    const route = data === undefined ? null : options.customIds.decode(data.custom_id);
    const definition = route?.kind === "button" ? buttons.get(route.name) : undefined;
    const params = definition && route ? namedParams(definition.params, route.params) : null;
    const message = messageOf(payload);
    if (definition === undefined || params === null || message === null) return { kind: "unknown", what: "button" };
    return found(definition, base, { params, message });
  }

  function findModal(payload: InteractionPayload, base: DiscordInteraction): Found {
    const data = modalDataSchema.safeParse(payload.data).data;
    const route = data === undefined ? null : options.customIds.decode(data.custom_id);
    const definition = route?.kind === "modal" ? modals.get(route.name) : undefined;
    const params = definition && route ? namedParams(definition.params, route.params) : null;
    if (data === undefined || definition === undefined || params === null) return { kind: "unknown", what: "modal" };
    const submitted = data.components.flatMap((row) => row.components ?? (row.component ? [row.component] : []));
    const values = readModalFields(definition.fields, submitted);
    if (!values.ok) return { kind: "invalid", message: values.message };
    return found(definition, base, { params, fields: values.values, message: messageOf(payload) });
  }

  return {
    find(payload, origin) {
      const base = baseOf(payload, origin);
      if (payload.type === INTERACTION.command) return findCommand(payload, base);
      if (payload.type === INTERACTION.modal) return findModal(payload, base);
      return findButton(payload, base);
    },
    has: (kind, name) => (kind === "button" ? buttons : modals).has(name),
  };
}

/**
 * Calls the definition's handler. Definitions are kept without their type parameters, and {@link Handlers.find} has
 * built the interaction for this very definition, so the cast says what the lists can't.
 */
export function runHandler(definition: Definition, interaction: DiscordInteraction) {
  return definition.run(interaction as never);
}

function byName<Named extends Definition>(definitions: readonly Named[]): ReadonlyMap<string, Named> {
  const map = new Map<string, Named>();
  for (const definition of definitions) {
    if (map.has(definition.name)) {
      throw new DiscordConnectorError(
        "duplicate_name",
        `There are two definitions of the ${definition.kind} "${definition.name}".`,
      );
    }
    map.set(definition.name, definition);
  }
  return map;
}

function found(definition: Definition, base: DiscordInteraction, submitted: object): Found {
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
  const { member } = payload;
  const user = member?.user ?? payload.user;
  if (user === null || user === undefined) throw new TypeError("An interaction without a user was not refused.");
  return {
    id: payload.id,
    applicationId: payload.application_id,
    tenantId: origin.tenantId,
    guildId: payload.guild_id ?? null,
    channelId: payload.channel_id ?? null,
    channelName: payload.channel?.name ?? null,
    user: { id: user.id, username: user.username, globalName: user.global_name ?? null },
    member:
      member === null || member === undefined
        ? null
        : { nickname: member.nick ?? null, roleIds: member.roles, permissions: BigInt(member.permissions ?? "0") },
    locale: payload.locale ?? null,
    createdAt: new Date(snowflakeTimeMs(payload.id)),
    attempt: origin.attempt,
    lastAttempt: origin.lastAttempt,
    signal: origin.signal,
  };
}
