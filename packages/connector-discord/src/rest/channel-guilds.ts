import type { Clock } from "@hookline/core";
import { z } from "zod";
import type { DiscordRest } from "./discord-rest.js";

/**
 * The server of a channel or thread; null for a direct message. What was found is kept for a while, since channels do
 * not move. Throws the REST client's errors.
 */
export type ChannelGuilds = (channelId: string, signal?: AbortSignal) => Promise<string | null>;

const KEPT_MS = 600_000;
const MAX_KEPT = 1_000;

const channelSchema = z.object({ guild_id: z.string().nullish() });

export function createChannelGuilds(rest: DiscordRest, clock: Clock): ChannelGuilds {
  const kept = new Map<string, { readonly guildId: string | null; readonly untilMs: number }>();

  return async (channelId, signal) => {
    const known = kept.get(channelId);
    if (known !== undefined && clock.now() < known.untilMs) return known.guildId;
    const answer = await rest.request({
      method: "GET",
      path: `/channels/${channelId}`,
      authorization: rest.botAuthorization(),
      ...(signal === undefined ? {} : { signal }),
    });
    const guildId = channelSchema.parse(answer).guild_id ?? null;
    kept.delete(channelId);
    const [oldest] = kept.size >= MAX_KEPT ? kept.keys() : [];
    if (oldest !== undefined) kept.delete(oldest);
    kept.set(channelId, { guildId, untilMs: clock.now() + KEPT_MS });
    return guildId;
  };
}
