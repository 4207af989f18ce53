import { PermissionFlagsBits } from "discord-api-types/v10";
import type { DiscordInteraction } from "./interaction.js";

/** One of Discord's permissions by its name, such as `ManageGuild`. */
export type PermissionName = keyof typeof PermissionFlagsBits;

/** Who may use a command, a button or a modal: all of these permissions, one of these roles, or whom a function accepts. */
export type Requirement =
  | readonly PermissionName[]
  | { readonly anyRoleId: readonly string[] }
  | ((interaction: DiscordInteraction) => boolean | Promise<boolean>);

/** Administrators have every permission; in a direct message nobody has one. */
export async function meetsRequirement(
  requirement: Requirement | undefined,
  interaction: DiscordInteraction,
): Promise<boolean> {
  if (requirement === undefined) return true;
  if (typeof requirement === "function") return requirement(interaction);
  const member = interaction.member;
  if (member === null) return false;
  if ("anyRoleId" in requirement) return requirement.anyRoleId.some((roleId) => member.roleIds.includes(roleId));
  if ((member.permissions & PermissionFlagsBits.Administrator) !== 0n) return true;
  return requirement.every((name) => (member.permissions & PermissionFlagsBits[name]) !== 0n);
}
