const LONE_SURROGATE = /^[\ud800-\udfff]$/;
const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/**
 * A text as Slack's mrkdwn shows it unchanged, cut to `limit` characters as they are sent: no entity and no pair of
 * surrogates is cut through. Without `<`, nothing in it can mention anybody or become a link.
 *
 * https://docs.slack.dev/messaging/formatting-message-text#escaping
 */
export function escapeMrkdwn(text: string, limit: number): string {
  const parts: string[] = [];
  let length = 0;
  /** How many parts still leave room for the ellipsis. */
  let fits = 0;
  for (const character of text) {
    const part = ENTITIES[character] ?? (LONE_SURROGATE.test(character) ? "\ufffd" : character);
    if (length + part.length > limit) return `${parts.slice(0, fits).join("").trimEnd()}…`;
    parts.push(part);
    length += part.length;
    if (length < limit) fits = parts.length;
  }
  return parts.join("");
}
