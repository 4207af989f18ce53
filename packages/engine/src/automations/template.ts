import { countCharacters, limitTemplates } from "@hookline/core";
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
/** Of all texts of one value together. */
const MAX_OUTPUT_CHARACTERS = 524_288;

/** Templates see own properties of what they are given, and no files. */
function liquid(): Liquid {
  const engine = new Liquid({
    ...LIMITS,
    ownPropertyOnly: true,
    strictFilters: true,
    strictVariables: false,
    templates: {},
    cache: false,
  });
  limitTemplates(engine, { maxOutputCharacters: MAX_OUTPUT_CHARACTERS, maxValueCharacters: LIMITS.memoryLimit });
  return engine;
}

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

type Scope = Readonly<Record<string, unknown>>;
type Spend = (made: unknown) => void;

/**
 * Renders every text in a value of any JSON; everything else stays as it is. A text that is nothing but one output, such
 * as `{{ data.amount }}`, becomes the value itself, so numbers, lists and objects stay what they are.
 *
 * Throws LiquidJS's error, and when all that is rendered has more than 524,288 characters.
 */
export function renderTemplates(value: unknown, scope: Scope): Promise<unknown> {
  let left = MAX_OUTPUT_CHARACTERS;
  return renderWithin(value, scope, (made) => {
    left -= countCharacters(made, left);
    if (left < 0) throw new Error(`it makes more than ${MAX_OUTPUT_CHARACTERS} characters`);
  });
}

async function renderWithin(value: unknown, scope: Scope, spend: Spend): Promise<unknown> {
  if (typeof value === "string") {
    const made = await renderText(value, scope);
    spend(made);
    return made;
  }
  if (Array.isArray(value)) return await inTurn(value, (one) => renderWithin(one, scope, spend));
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    await inTurn(Object.entries(value), async ([key, one]) => [key, await renderWithin(one, scope, spend)] as const),
  );
}

/** One after the other, so that no more is rendered once it is too much. */
async function inTurn<In, Out>(values: readonly In[], make: (value: In) => Promise<Out>): Promise<Out[]> {
  const made: Out[] = [];
  for (const value of values) made.push(await make(value));
  return made;
}

const ONLY_OUTPUT = /^\{\{-?\s*([^{}|]+?)\s*-?\}\}$/;

async function renderText(text: string, scope: Scope): Promise<unknown> {
  const engine = liquid();
  const expression = ONLY_OUTPUT.exec(text)?.[1];
  if (expression === undefined) return (await engine.parseAndRender(text, { ...scope })) as string;
  return (await engine.evalValue(expression, { ...scope })) ?? "";
}
