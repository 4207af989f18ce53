import { el } from "./elements.js";

const CODE_BLOCK = /```(?:\w+\n)?([\s\S]+?)```\n?/g;

/** What makes a line of its own: the element, its class, and the words behind the sign. */
const LINES = [
  [/^# (.+)/, "div", "heading one"],
  [/^## (.+)/, "div", "heading two"],
  [/^### (.+)/, "div", "heading three"],
  [/^-# (.+)/, "div", "small"],
  [/^> (.*)/, "blockquote", ""],
  [/^\s*[-*] (.+)/, "div", "item"],
];

const PARTS =
  /`([^`]+)`|\|\|([\s\S]+?)\|\||\*\*([\s\S]+?)\*\*|__([\s\S]+?)__|~~([\s\S]+?)~~|\*([^*\n]+)\*|\b_([^_\n]+)_\b|\[([^\]]+)\]\((https?:\/\/[^)\s]+)\)|<(@!?|@&|#)(\d+)>|<a?:(\w+):\d+>|<t:(\d+)(?::\w)?>|\\([^a-zA-Z0-9\s])|(https?:\/\/[^\s<>]*[^\s<>.,:;"')\]])|(@everyone|@here)/g;

/** Discord's markup as elements; `names` turns ids into names. */
export function markup(text, names) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(CODE_BLOCK)) {
    nodes.push(...linesOf(text.slice(end, match.index), names), el("pre", {}, match[1]));
    end = match.index + match[0].length;
  }
  nodes.push(...linesOf(text.slice(end), names));
  return el("div", { class: "text" }, ...nodes);
}

/** Headings, quotes and items are elements of their own; what lies between them stays together. */
function linesOf(text, names) {
  const nodes = [];
  let plain = "";
  for (const line of text.split(/(?<=\n)/)) {
    const own = lineOf(line.replace(/\n$/, ""), names);
    if (own) {
      nodes.push(...inline(plain, names), own);
      plain = "";
    } else {
      plain += line;
    }
  }
  return [...nodes, ...inline(plain, names)];
}

function lineOf(line, names) {
  for (const [pattern, tag, name] of LINES) {
    const match = pattern.exec(line);
    if (match) {
      return el(tag, { class: name }, ...inline(match[1], names));
    }
  }
  return null;
}

function inline(text, names) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(PARTS)) {
    nodes.push(text.slice(end, match.index), nodeOf(match, names));
    end = match.index + match[0].length;
  }
  return [...nodes, text.slice(end)];
}

function nodeOf(match, names) {
  const [
    ,
    code,
    hidden,
    bold,
    underlined,
    struck,
    slanted,
    alsoSlanted,
    label,
    target,
    sigil,
    id,
    emoji,
    time,
    escaped,
    link,
  ] = match;
  const inner = (tag, content, attributes = {}) => el(tag, attributes, ...inline(content, names));
  if (code) return el("code", {}, code);
  if (hidden) return inner("span", hidden, { class: "spoiler", tabindex: "0" });
  if (bold) return inner("strong", bold);
  if (underlined) return inner("u", underlined);
  if (struck) return inner("s", struck);
  if (slanted ?? alsoSlanted) return inner("em", slanted ?? alsoSlanted);
  if (label) return el("a", { href: target, rel: "noreferrer", target: "_blank" }, label);
  if (sigil) return el("span", { class: "mention" }, `${sigil === "#" ? "#" : "@"}${names(id)}`);
  if (emoji) return `:${emoji}:`;
  if (time) return new Date(Number(time) * 1000).toLocaleString();
  if (escaped) return escaped;
  if (link) return el("a", { href: link, rel: "noreferrer", target: "_blank" }, link);
  return el("span", { class: "mention" }, match[0]);
}
