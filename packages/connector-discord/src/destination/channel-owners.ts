import { type Interpretation, systemClock } from "@hookline/core";
import { isDiscordConnectorError } from "../errors.js";
import { createChannelGuilds } from "../rest/channel-guilds.js";
import type { DiscordRest } from "../rest/discord-rest.js";
import type { DiscordTarget } from "./discord-target.js";

/** Whose the channel of a target is. */
export type ChannelOwner =
  | { readonly kind: "known"; readonly tenantId: string | null }
  /** Anybody may post there, or Discord will refuse it anyway. */
  | { readonly kind: "any" }
  /** It can't be told now. */
  | { readonly kind: "later"; readonly interpretation: Interpretation<never> };

interface ChannelOwnersOptions {
  readonly rest: DiscordRest;
  readonly resolveTenant: ((guildId: string) => string | null | Promise<string | null>) | undefined;
}

/** Asks Discord for the server of a channel. An incoming webhook is its own permission. */
export function createChannelOwners({ rest, resolveTenant }: ChannelOwnersOptions) {
  const guildOf = createChannelGuilds(rest, systemClock);

  return async (target: DiscordTarget, signal: AbortSignal): Promise<ChannelOwner> => {
    if (resolveTenant === undefined || !("channelId" in target)) return { kind: "any" };
    let guildId: string | null;
    try {
      guildId = await guildOf(target.channelId, signal);
    } catch (error) {
      if (!isDiscordConnectorError(error)) throw error;
      const { code, status = 0, message: reason, retryAfterMs } = error;
      if (code === "bot_token_missing") throw error;
      // A channel that the bot can't see takes no message of it either: the answer to that says what follows.
      if (code === "api_error" && status >= 400 && status < 500) return { kind: "any" };
      return {
        kind: "later",
        interpretation: {
          outcome: "retry",
          reason,
          ...(retryAfterMs === undefined ? {} : { retryInMs: retryAfterMs }),
        },
      };
    }
    try {
      return { kind: "known", tenantId: guildId === null ? null : await resolveTenant(guildId) };
    } catch (error) {
      const reason = `The look-up of the channel's tenant failed: ${String(error)}`;
      return { kind: "later", interpretation: { outcome: "retry", reason } };
    }
  };
}
