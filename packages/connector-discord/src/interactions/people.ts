import type { DiscordMember, DiscordUser } from "./interaction.js";
import type { MemberPayload, UserPayload } from "./payload.js";

export function userOf({ id, username, global_name: globalName }: UserPayload): DiscordUser {
  return { id, username, globalName: globalName ?? null };
}

export function memberOf(member: MemberPayload | null | undefined): DiscordMember | null {
  if (member === null || member === undefined) return null;
  return { nickname: member.nick ?? null, roleIds: member.roles, permissions: BigInt(member.permissions ?? "0") };
}
