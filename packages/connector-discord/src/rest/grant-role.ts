import { DiscordConnectorError, isDiscordConnectorError } from "../errors.js";
import { isSnowflake } from "../snowflake.js";
import type { DiscordRest } from "./discord-rest.js";

export interface RoleGrant {
  readonly guildId: string;
  readonly userId: string;
  readonly roleId: string;
}

/**
 * Whether the member has the role now. `unavailable` and `rate_limited` pass, the other reasons stay until somebody
 * changes something: `forbidden` means that the bot lacks Manage Roles or that its own role stands below.
 */
export type RoleGrantResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: "unavailable"; readonly message: string }
  | { readonly ok: false; readonly reason: "rate_limited"; readonly message: string; readonly retryAfterMs: number }
  | {
      readonly ok: false;
      readonly reason: "unknown_member" | "unknown_role" | "unknown_guild" | "forbidden" | "unauthorized" | "refused";
      readonly message: string;
    };

const REASONS: ReadonlyMap<number, "unknown_guild" | "unknown_member" | "unknown_role" | "forbidden"> = new Map([
  [10_004, "unknown_guild"],
  [10_007, "unknown_member"],
  [10_011, "unknown_role"],
  [10_013, "unknown_member"],
  [50_001, "forbidden"],
  [50_013, "forbidden"],
]);

/** Gives a member a role. Idempotent. Throws `invalid_option` for an id that is none and `bot_token_missing`. */
export async function grantRole(
  rest: DiscordRest,
  { guildId, userId, roleId }: RoleGrant,
  signal?: AbortSignal,
): Promise<RoleGrantResult> {
  for (const [name, id] of Object.entries({ guildId, userId, roleId })) {
    if (!isSnowflake(id)) throw new DiscordConnectorError("invalid_option", `${name} is not an id of Discord's.`);
  }
  try {
    await rest.request({
      method: "PUT",
      path: `/guilds/${guildId}/members/${userId}/roles/${roleId}`,
      authorization: rest.botAuthorization(),
      ...(signal === undefined ? {} : { signal }),
    });
    return { ok: true };
  } catch (error) {
    if (!isDiscordConnectorError(error) || error.code === "bot_token_missing") throw error;
    const { message, status } = error;
    if (error.code === "rate_limited") {
      return { ok: false, reason: "rate_limited", message, retryAfterMs: error.retryAfterMs ?? 1_000 };
    }
    if (status === undefined || status >= 500 || status === 408) return { ok: false, reason: "unavailable", message };
    const known = error.discordCode === undefined ? undefined : REASONS.get(error.discordCode);
    if (known !== undefined) return { ok: false, reason: known, message };
    if (status === 401) return { ok: false, reason: "unauthorized", message };
    return { ok: false, reason: status === 403 ? "forbidden" : "refused", message };
  }
}
