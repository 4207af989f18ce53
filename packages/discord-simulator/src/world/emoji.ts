import type { GuildState } from "./model.js";

/** `👍`, `name:id` or `<:name:id>`; undefined when there is no such emoji. A name alone finds a guild's own. */
export function parseEmoji(text: string, guild?: GuildState): { id: string | null; name: string } | undefined {
  const custom = /^<?a?:?(\w+):(\d+)>?$/.exec(text);
  if (custom) {
    const known = guild?.emojis.get(custom[2] ?? "");
    return known ? { id: known.id ?? null, name: known.name ?? "" } : undefined;
  }
  const named = [...(guild?.emojis.values() ?? [])].find(({ name }) => name === text.replaceAll(":", ""));
  if (named) {
    return { id: named.id ?? null, name: named.name ?? "" };
  }
  return isUnicodeEmoji(text) ? { id: null, name: text } : undefined;
}

function isUnicodeEmoji(text: string): boolean {
  return text.length <= 32 && /^(?:\p{Extended_Pictographic}|\p{Regional_Indicator}|[0-9#*]\uFE0F?\u20E3)/u.test(text);
}
