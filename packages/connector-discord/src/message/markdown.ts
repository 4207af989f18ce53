/** Text whose markup is meant. Made by {@link markdown}, which escapes everything that is put into it. */
export interface Markdown {
  readonly markdown: string;
}

/** A plain string is somebody's words and is escaped; {@link Markdown} keeps its own markup. */
export type Text = string | Markdown;

/**
 * A text with markup, for messages and embeds. What is interpolated is escaped, unless it is Markdown itself.
 *
 * @example
 * markdown`**${ticket.title}** by <@${userId}>`
 */
export function markdown(strings: TemplateStringsArray, ...values: readonly (Text | number)[]): Markdown {
  let text = strings[0] ?? "";
  values.forEach((value, index) => {
    text += (typeof value === "number" ? String(value) : toMarkdown(value)) + (strings[index + 1] ?? "");
  });
  return { markdown: text };
}

/** Somebody's words in a code span, where escapes would show. */
export function code(text: string): Markdown {
  const words = text.replaceAll("`", "ˋ").replace(/\s+/g, " ").trim();
  return { markdown: words === "" ? "" : `\`${words}\`` };
}

/**
 * What stands in an event's data is of any type, whatever the types of a template say, and must not sink the message:
 * numbers and the like are shown as text, nothing as nothing.
 */
export function toMarkdown(text: Text): string {
  if (isMarkdown(text)) return text.markdown;
  const words: unknown = text;
  return words === null || words === undefined ? "" : escapeMarkdown(String(words));
}

export function isMarkdown(value: unknown): value is Markdown {
  return typeof value === "object" && value !== null && "markdown" in value;
}

// A bare link is left alone, since a backslash inside of it would break it. So are brackets that close right behind it:
// Discord reads up to the next blank, leaves out what closes nothing, and would take the backslash into the link.
const LINK = /https?:\/\/[^\s<>()[\]{}"'`*|\\]+[)\]]*/g;

/**
 * Somebody's words, so that Discord shows them as they were typed: no bold, no masked link, no heading, and nothing
 * that looks like a mention.
 */
export function escapeMarkdown(text: string): string {
  let escaped = "";
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    escaped += escapeWords(text.slice(from, match.index)) + match[0];
    from = match.index + match[0].length;
  }
  return escaped + escapeWords(text.slice(from));
}

function escapeWords(text: string): string {
  return text
    .replace(/[\\*_~`|<>@[\]()]/g, "\\$&")
    .replace(/^(\s*)([#+-])/gm, "$1\\$2")
    .replace(/^(\s*\d+)\.(?=\s)/gm, "$1\\.");
}
