import type { APIUser } from "discord-api-types/v10";
import type { GuildState, World } from "./model.js";

export interface AllowedMentions {
  readonly parse?: readonly (string | null)[] | null | undefined;
  readonly users?: readonly (string | null)[] | null | undefined;
  readonly roles?: readonly (string | null)[] | null | undefined;
}

interface MentionInput {
  readonly world: World;
  readonly guild: GuildState | undefined;
  readonly content: string;
  /** Absent: everything in the text mentions. */
  readonly allowed?: AllowedMentions | null | undefined;
}

export interface Mentions {
  readonly mentions: APIUser[];
  readonly mention_roles: string[];
  readonly mention_everyone: boolean;
}

/** Whom a text really mentions, once `allowed_mentions` is obeyed. */
export function mentionsIn({ world, guild, content, allowed }: MentionInput): Mentions {
  const allows = (kind: "users" | "roles" | "everyone", id?: string) => {
    if (!allowed) {
      return true;
    }
    const listed = kind === "everyone" ? undefined : allowed[kind];
    return (allowed.parse?.includes(kind) ?? false) || (id !== undefined && (listed?.includes(id) ?? false));
  };
  const userIds = new Set([...content.matchAll(/<@!?(\d+)>/g)].map((match) => match[1] ?? ""));
  const roleIds = new Set([...content.matchAll(/<@&(\d+)>/g)].map((match) => match[1] ?? ""));
  return {
    mentions: [...userIds].flatMap((id) => {
      const user = world.users.get(id)?.user;
      return user && allows("users", id) ? [user] : [];
    }),
    mention_roles: [...roleIds].filter((id) => guild?.roles.has(id) && allows("roles", id)),
    mention_everyone: /@(everyone|here)\b/.test(content) && allows("everyone"),
  };
}
