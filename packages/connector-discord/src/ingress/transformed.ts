import type { EventInput, IngestInput } from "@hookline/core";
import type { z } from "zod";
import type { KnownBots } from "./known-bots.js";
import type { RecentJoins } from "./recent-joins.js";

/** What becomes of one packet. */
export type Transformed =
  /** Of a person. */
  | { readonly kind: "ingest"; readonly inputs: readonly IngestInput[] }
  /** Of nobody. */
  | { readonly kind: "publish"; readonly events: readonly EventInput[] }
  /** Noise, dropped on purpose. */
  | { readonly kind: "ignored"; readonly reason: string }
  /** Not what Discord sends. */
  | { readonly kind: "rejected"; readonly code: string; readonly message: string };

/** What is dropped unless it is asked for. */
export interface KeptNoise {
  /** What bots do; never what our own application does. */
  readonly bots: boolean;
  /** Messages of incoming webhooks, and what bots answer to commands. */
  readonly webhooks: boolean;
  /** Discord's own words about what members do, such as a welcome or a pin. */
  readonly systemMessages: boolean;
}

export interface TransformOptions {
  readonly keep: KeptNoise;
  readonly applicationId: string;
  readonly storeMessageText: boolean;
  readonly directMessages: boolean;
  /** Null for a server that belongs to no tenant. */
  readonly resolveTenant: (guildId: string | null) => Promise<string | null>;
}

export interface TransformContext extends TransformOptions {
  readonly knownBots: KnownBots;
  readonly recentJoins: RecentJoins;
}

/** Why a packet of a server is dropped that belongs to no tenant. */
export const GUILD_NOT_MAPPED = "guild_not_mapped";

export function ignored(reason: string): Transformed {
  return { kind: "ignored", reason };
}

export type Place =
  | { readonly kind: "place"; readonly tenantId: string; readonly data: Readonly<Record<string, unknown>> }
  | { readonly kind: "ignored"; readonly reason: string };

/** Where a message stands, and whose that is: in a server or, by opt-in, between somebody and the bot. */
export async function placeOf(
  { guild_id, channel_id }: { readonly guild_id?: string | null | undefined; readonly channel_id: string },
  { directMessages, resolveTenant }: TransformContext,
): Promise<Place> {
  const guildId = guild_id ?? null;
  if (guildId === null && !directMessages) return { kind: "ignored", reason: "direct message" };
  const tenantId = await resolveTenant(guildId);
  if (tenantId === null) return { kind: "ignored", reason: GUILD_NOT_MAPPED };
  const data = guildId === null ? { direct: true, channelId: channel_id } : { guildId, channelId: channel_id };
  return { kind: "place", tenantId, data };
}

/** A packet that is not what Discord documents. */
export function malformed(type: string, error: z.ZodError): Transformed {
  const issue = error.issues[0];
  return {
    kind: "rejected",
    code: "invalid_payload",
    message: `${type}: ${issue?.path.join(".") || "d"} ${issue?.message ?? "is malformed"}`,
  };
}
