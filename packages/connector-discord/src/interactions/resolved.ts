import type { ChosenChannel, ChosenMentionable, ChosenRole, ChosenUser, EntityChoice } from "./choices.js";
import type { UploadedFile } from "./modal-fields.js";
import type { Resolved } from "./payload.js";
import { memberOf, userOf } from "./people.js";

/** What Discord says of an id that was chosen; undefined where it says nothing. */
export function resolvedUser(resolved: Resolved, id: string): ChosenUser | undefined {
  const user = resolved.users[id];
  return user && { ...userOf(user), member: memberOf(resolved.members[id]) };
}

export function resolvedFile(resolved: Resolved, id: string): UploadedFile | undefined {
  const file = resolved.attachments[id];
  if (file === undefined) return undefined;
  const { filename: name, size: sizeBytes, content_type: contentType, url } = file;
  return { id, name, sizeBytes, contentType: contentType ?? null, url };
}

/** Finds each of the ids; null when one of them is not what was asked for. */
export function resolvedEntities(
  choice: EntityChoice,
  ids: readonly string[],
  resolved: Resolved,
): readonly (ChosenUser | ChosenRole | ChosenChannel | ChosenMentionable)[] | null {
  const one = (id: string): ChosenUser | ChosenRole | ChosenChannel | ChosenMentionable | undefined => {
    if (choice === "users") return resolvedUser(resolved, id);
    if (choice === "roles") return resolved.roles[id];
    if (choice === "mentionables") {
      const role = resolved.roles[id];
      const user = resolvedUser(resolved, id);
      return role ? { ...role, kind: "role" } : user && { ...user, kind: "user" };
    }
    const channel = resolved.channels[id];
    return channel && { id, name: channel.name ?? null, type: channel.type };
  };
  const found = ids.map(one);
  return found.every((item) => item !== undefined) ? found : null;
}
