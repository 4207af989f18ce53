/**
 * Reads `/name sub key:value other:several words` with the command's own option types.
 */
export function parseSlash(text, commands) {
  const [head = "", ...pairs] = text.slice(1).split(/\s+(?=[\w-]+:)/);
  const [name, ...path] = head.trim().split(/\s+/);
  let definitions = commands.find((command) => command.name === name)?.options ?? [];
  for (const step of path) {
    definitions = definitions.find((option) => option.name === step)?.options ?? [];
  }
  const options = Object.fromEntries(
    pairs.map((pair) => {
      const colon = pair.indexOf(":");
      const key = pair.slice(0, colon);
      return [key, typed(pair.slice(colon + 1).trim(), definitions.find((option) => option.name === key)?.type)];
    }),
  );
  return { command: [name, ...path].join(" "), options };
}

function typed(text, type) {
  if (type === 4 || type === 10) {
    return Number(text);
  }
  return type === 5 ? text === "true" : text.replace(/^[@#]/, "");
}
