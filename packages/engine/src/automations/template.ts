import { Liquid } from "liquidjs";
import { isPlainObject } from "../storage/text.js";

const LIMITS = {
  /** Characters of one template. */
  parseLimit: 20_000,
  /** Milliseconds of one rendering. */
  renderLimit: 250,
  /** Of texts and lists that a template makes, in LiquidJS's count. */
  memoryLimit: 1_000_000,
} as const satisfies Record<string, number>;
const MAX_DEPTH = 8;

/** Templates see own properties of what they are given, and no files. */
const liquid = () =>
  new Liquid({
    ...LIMITS,
    ownPropertyOnly: true,
    strictFilters: true,
    strictVariables: false,
    templates: {},
    cache: false,
  });

/** What is wrong with the templates in a value of any JSON, with the path of each fault. */
export function* templateIssues(value: unknown, path: string, depth = 0): Generator<string> {
  if (depth > MAX_DEPTH) {
    yield `${path}: nested more than ${MAX_DEPTH} deep`;
  } else if (typeof value === "string") {
    const fault = parseFault(value);
    if (fault !== null) yield `${path}: ${fault}`;
  } else if (Array.isArray(value)) {
    for (const [at, one] of value.entries()) yield* templateIssues(one, `${path}.${at}`, depth + 1);
  } else if (isPlainObject(value)) {
    for (const [key, one] of Object.entries(value)) yield* templateIssues(one, `${path}.${key}`, depth + 1);
  } else if (value === undefined || typeof value === "function" || typeof value === "bigint") {
    yield `${path}: this is no JSON`;
  }
}

function parseFault(text: string): string | null {
  try {
    liquid().parse(text);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Renders every text in a value of any JSON; everything else stays as it is. A text that is nothing but one output, such
 * as `{{ data.amount }}`, becomes the value itself, so numbers, lists and objects stay what they are.
 *
 * Throws LiquidJS's error.
 */
export async function renderTemplates(value: unknown, scope: Readonly<Record<string, unknown>>): Promise<unknown> {
  if (typeof value === "string") return await renderText(value, scope);
  if (Array.isArray(value)) return await Promise.all(value.map((one) => renderTemplates(one, scope)));
  if (!isPlainObject(value)) return value;
  const entries = Object.entries(value).map(async ([key, one]) => [key, await renderTemplates(one, scope)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

const ONLY_OUTPUT = /^\{\{-?\s*([^{}|]+?)\s*-?\}\}$/;

async function renderText(text: string, scope: Readonly<Record<string, unknown>>): Promise<unknown> {
  const engine = liquid();
  const expression = ONLY_OUTPUT.exec(text)?.[1];
  if (expression === undefined) return (await engine.parseAndRender(text, { ...scope })) as string;
  return (await engine.evalValue(expression, { ...scope })) ?? "";
}
