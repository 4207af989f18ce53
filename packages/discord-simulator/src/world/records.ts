import { createHash } from "node:crypto";
import type { APIRole, APIUser, RoleFlags, UserFlags } from "discord-api-types/v10";
import type { ChannelState } from "./model.js";

/** The same secret for the same seed and purpose. */
export function derive(seed: string, purpose: string): string {
  return createHash("sha256").update(`${seed}:${purpose}`).digest("base64url");
}

interface UserInput {
  readonly id: string;
  readonly username: string;
  readonly globalName?: string | undefined;
  readonly bot?: boolean | undefined;
}

export function makeUser({ id, username, globalName, bot }: UserInput): APIUser {
  return {
    id,
    username,
    discriminator: bot ? derive(id, "discriminator").replace(/\D/g, "").padEnd(4, "7").slice(0, 4) : "0",
    global_name: globalName ?? null,
    avatar: null,
    ...(bot ? { bot: true } : {}),
    public_flags: 0 as UserFlags,
  };
}

interface RoleInput {
  readonly id: string;
  readonly name: string;
  readonly position: number;
  readonly permissions: bigint;
  readonly color?: number | undefined;
  readonly botId?: string | undefined;
}

export function makeRole({ id, name, position, permissions, color = 0, botId }: RoleInput): APIRole {
  return {
    id,
    name,
    color,
    colors: { primary_color: color, secondary_color: null, tertiary_color: null },
    hoist: false,
    icon: null,
    unicode_emoji: null,
    position,
    permissions: permissions.toString(),
    managed: botId !== undefined,
    mentionable: false,
    flags: 0 as RoleFlags,
    ...(botId ? { tags: { bot_id: botId } } : {}),
  };
}

type ChannelInput = Pick<ChannelState, "id" | "createdAt"> & Partial<ChannelState>;

export function makeChannel(input: ChannelInput): ChannelState {
  return {
    type: 0,
    guildId: null,
    parentId: null,
    ownerId: null,
    name: null,
    topic: null,
    position: 0,
    overwrites: [],
    recipients: [],
    messages: new Map(),
    ...input,
  };
}
