import type { SharedState } from "@hookline/core";
import type { FORWARDED_PACKET_TYPES, IngressItem } from "../ingress-contract.js";
import { botKey, createBotMemory } from "./known-bots.js";
import { joinKey, openRecentJoins } from "./recent-joins.js";
import { transformAuditLogEntry, transformThread, transformVoiceState } from "./transform-activity.js";
import { transformGap } from "./transform-gap.js";
import { transformMember } from "./transform-member.js";
import { transformMemberRemove, transformMemberUpdate } from "./transform-member-change.js";
import { transformMessage } from "./transform-message.js";
import { transformMessageDelete, transformMessageUpdate } from "./transform-message-change.js";
import { transformPresence } from "./transform-presence.js";
import { transformReactionAdd, transformReactionRemove } from "./transform-reaction.js";
import { ignored, type TransformContext, type Transformed, type TransformOptions } from "./transformed.js";

/** Turns a batch's packets into events; what becomes of each, in order. */
export type Transform = (items: readonly IngressItem[], state: SharedState) => Promise<readonly Transformed[]>;

type TransformItem = (item: IngressItem, context: TransformContext) => Promise<Transformed>;

type TransformedType = (typeof FORWARDED_PACKET_TYPES)[number] | "HOOKLINE_GAP";

const TRANSFORMS: ReadonlyMap<string, TransformItem> = new Map(
  Object.entries({
    MESSAGE_CREATE: transformMessage,
    MESSAGE_REACTION_ADD: transformReactionAdd,
    MESSAGE_REACTION_REMOVE: transformReactionRemove,
    GUILD_MEMBER_ADD: transformMember,
    MESSAGE_UPDATE: transformMessageUpdate,
    MESSAGE_DELETE: transformMessageDelete,
    MESSAGE_DELETE_BULK: transformMessageDelete,
    GUILD_MEMBER_REMOVE: transformMemberRemove,
    GUILD_MEMBER_UPDATE: transformMemberUpdate,
    PRESENCE_UPDATE: transformPresence,
    THREAD_CREATE: transformThread,
    VOICE_STATE_UPDATE: transformVoiceState,
    GUILD_AUDIT_LOG_ENTRY_CREATE: transformAuditLogEntry,
    HOOKLINE_GAP: transformGap,
  } satisfies Record<TransformedType, TransformItem>),
);

/** Turns Discord's packets into events; every other type is ignored. */
export function createTransform(options: TransformOptions): Transform {
  const bots = createBotMemory({ applicationId: options.applicationId, keepsBots: options.keep.bots });

  return async (items, state) => {
    const people = [...new Set(items.flatMap(peopleIn))].filter((userId) => !bots.has(userId));
    const joins = items.flatMap(joinIn);
    const shared = await state.get([...people.map(botKey), ...joins]);
    const context: TransformContext = {
      ...options,
      knownBots: bots.open(
        state,
        people.filter((userId) => shared.has(botKey(userId))),
      ),
      recentJoins: openRecentJoins(state, new Map([...shared].map(([key, { value }]) => [key, value]))),
    };
    const transformed: Transformed[] = [];
    for (const item of items) {
      transformed.push((await TRANSFORMS.get(item.type)?.(item, context)) ?? ignored("type"));
    }
    return transformed;
  };
}

/** Accounts of which the packet does not say whether they are bots. */
function peopleIn({ d }: IngressItem): readonly string[] {
  const named = ["user_id", "message_author_id", "owner_id"].map((name) => stringIn(d, name));
  return [...named, stringIn(fieldOf(d, "user"), "id")].flatMap((id) => id ?? []);
}

function joinIn({ type, d }: IngressItem): readonly string[] {
  const guildId = stringIn(d, "guild_id");
  const userId = stringIn(fieldOf(d, "user"), "id");
  return type === "GUILD_MEMBER_ADD" && guildId !== undefined && userId !== undefined ? [joinKey(guildId, userId)] : [];
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function stringIn(value: unknown, name: string): string | undefined {
  const field = fieldOf(value, name);
  return typeof field === "string" && field.length <= 20 ? field : undefined;
}
