import type { FORWARDED_PACKET_TYPES, IngressItem } from "../ingress-contract.js";
import { createKnownBots } from "./known-bots.js";
import { createRecentJoins } from "./recent-joins.js";
import { transformGap } from "./transform-gap.js";
import { transformMember } from "./transform-member.js";
import { transformMessage } from "./transform-message.js";
import { transformPresence } from "./transform-presence.js";
import { transformReactionAdd, transformReactionRemove } from "./transform-reaction.js";
import { ignored, type TransformContext, type Transformed, type TransformOptions } from "./transformed.js";

export type Transform = (item: IngressItem) => Promise<Transformed>;

type TransformItem = (item: IngressItem, context: TransformContext) => Promise<Transformed>;

type TransformedType = (typeof FORWARDED_PACKET_TYPES)[number] | "HOOKLINE_GAP";

const TRANSFORMS: ReadonlyMap<string, TransformItem> = new Map(
  Object.entries({
    MESSAGE_CREATE: transformMessage,
    MESSAGE_REACTION_ADD: transformReactionAdd,
    MESSAGE_REACTION_REMOVE: transformReactionRemove,
    GUILD_MEMBER_ADD: transformMember,
    PRESENCE_UPDATE: transformPresence,
    HOOKLINE_GAP: transformGap,
  } satisfies Record<TransformedType, TransformItem>),
);

/** Turns Discord's packets into events; every other type is ignored. */
export function createTransform(options: TransformOptions): Transform {
  const context: TransformContext = {
    ...options,
    knownBots: createKnownBots(options.applicationId),
    recentJoins: createRecentJoins(),
  };
  return async (item) => TRANSFORMS.get(item.type)?.(item, context) ?? ignored("type");
}
