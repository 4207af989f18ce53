import { el } from "./elements.js";

const PARTS =
  /```(?:\w+\n)?([\s\S]+?)```|`([^`]+)`|\*\*([\s\S]+?)\*\*|__([\s\S]+?)__|~~([\s\S]+?)~~|\*([^*\n]+)\*|\b_([^_\n]+)_\b|\[([^\]]+)\]\((https?:\/\/[^)\s]+)\)|<(@!?|@&|#)(\d+)>|<a?:(\w+):\d+>|<t:(\d+)(?::\w)?>|\\([^a-zA-Z0-9\s])|(https?:\/\/[^\s<>]+)|(@everyone|@here)/g;

/** Discord's markup as elements; `names` turns ids into names. */
export function markup(text, names) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(PARTS)) {
    nodes.push(text.slice(end, match.index), nodeOf(match, names));
    end = match.index + match[0].length;
  }
  nodes.push(text.slice(end));
  return el("div", { class: "text" }, ...nodes);
}

function nodeOf(match, names) {
  const [
    ,
    block,
    code,
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
  const inner = (tag, content) => el(tag, {}, ...markup(content, names).childNodes);
  if (block) return el("pre", {}, block);
  if (code) return el("code", {}, code);
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
