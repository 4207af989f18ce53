/**
 * Cuts a text to at most `limit` UTF-16 units, the last of which is then an ellipsis. It never leaves half of a
 * surrogate pair, nor a backslash that would escape what follows.
 */
export function cutText(text: string, limit: number): string {
  if (text.length <= limit) return text;
  if (limit <= 0) return "";
  let end = limit - 1;
  if (isHighSurrogate(text.charCodeAt(end - 1))) end -= 1;
  let backslashes = 0;
  while (backslashes < end && text[end - 1 - backslashes] === "\\") backslashes += 1;
  if (backslashes % 2 === 1) end -= 1;
  return `${text.slice(0, end).trimEnd()}…`;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
