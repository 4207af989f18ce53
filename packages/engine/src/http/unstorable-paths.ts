import { isPlainObject } from "../storage/text.js";

type Path = readonly (string | number)[];

interface Node {
  readonly value: unknown;
  readonly name: string | number;
  readonly parent: Node | null;
}

const MAX_PATHS = 20;
/** What lies deeper is told by what it lies in. */
const MAX_PATH_LENGTH = 32;

/** Where texts or names of fields hold U+0000, which Postgres stores in no text; the first twenty. */
export function unstorablePaths(value: unknown): readonly Path[] {
  const found: Path[] = [];
  const open: Node[] = [{ value, name: "", parent: null }];
  // Not by recursion: JSON nests deeper than the stack does.
  for (let node = open.pop(); node !== undefined && found.length < MAX_PATHS; node = open.pop()) {
    if (isUnstorable(node.value) || isUnstorable(node.name)) found.push(pathOf(node));
    else for (const [name, inner] of entriesOf(node.value)) open.push({ value: inner, name, parent: node });
  }
  return found;
}

function isUnstorable(text: unknown): boolean {
  return typeof text === "string" && text.includes("\u0000");
}

function entriesOf(value: unknown): Iterable<readonly [string | number, unknown]> {
  if (Array.isArray(value)) return value.entries();
  return isPlainObject(value) ? Object.entries(value) : [];
}

function pathOf(node: Node): Path {
  const path: (string | number)[] = [];
  for (let one = node; one.parent !== null; one = one.parent) path.unshift(one.name);
  return path.slice(0, MAX_PATH_LENGTH);
}
