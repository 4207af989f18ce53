/**
 * Cuts a text to at most `limit` UTF-16 units, the last of which is then an ellipsis. It never leaves part of what is
 * read as one character (a surrogate pair, an accent on its letter, an emoji made of several), nor a backslash that
 * would escape what follows, nor part of a mention or an address, which would lead elsewhere.
 */
export function cutText(text: string, limit: number): string {
  if (text.length <= limit) return text;
  if (limit <= 0) return "";
  let end = startOfCharacter(text, startOfToken(text, limit - 1));
  let backslashes = 0;
  while (backslashes < end && text[end - 1 - backslashes] === "\\") backslashes += 1;
  if (backslashes % 2 === 1) end -= 1;
  return `${text.slice(0, end).trimEnd()}…`;
}

/** Longer than any emoji; whoever piles up more accents on one letter loses some. */
const LONGEST_CHARACTER = 64;
/** Longer ones are cut like words: nothing would be left otherwise. */
const LONGEST_TOKEN = 256;
/** What Discord reads as one: `<@1>`, `<#1>`, `<:name:1>`, `<t:1:R>`, `</name:1>`, and an address. */
const TOKEN = /(?:<(?:[@#/]|a?:|t:)[^\s<>]*|https?:\/\/[^\s<>]*)$/;
const characters = new Intl.Segmenter("en", { granularity: "grapheme" });

/** The last place up to `end` where a character begins. */
function startOfCharacter(text: string, end: number): number {
  let from = Math.max(0, end - LONGEST_CHARACTER);
  if (isLowSurrogate(text.charCodeAt(from))) from += 1;
  const around = characters.segment(text.slice(from, end + LONGEST_CHARACTER));
  const index = around.containing(end - from)?.index;
  if (index === undefined) return end;
  // One that began further back is cut after all, but not a surrogate pair.
  if (index > 0 || from === 0) return from + index;
  return isLowSurrogate(text.charCodeAt(end)) ? end - 1 : end;
}

/** Where the mention or address begins through which the cut would go; else `end`. */
function startOfToken(text: string, end: number): number {
  if (/\s/.test(text[end] ?? " ")) return end;
  const before = text.slice(Math.max(0, end - LONGEST_TOKEN), end);
  const token = TOKEN.exec(before);
  // Whatever is the whole text has to be cut.
  return token === null || before.slice(0, token.index).trim() === "" ? end : end - token[0].length;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
