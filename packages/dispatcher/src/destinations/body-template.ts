import { type Event, limitTemplates } from "@hookline/core";
import { Liquid, type Template } from "liquidjs";
import type { FieldIssue } from "../errors.js";

const MAX_CHARACTERS = 32_768;
/** Of the texts and lists that one rendering makes, in characters and entries. */
const MEMORY_LIMIT = 4_000_000;
const RENDER_LIMIT_MS = 250;
const LIMITS = { maxOutputCharacters: 1_048_576, maxValueCharacters: MEMORY_LIMIT } as const;

/** Tags that read other templates: there are none. */
const FILE_TAGS = ["include", "render", "layout", "block"] as const;

/**
 * Liquid with limits on length, time and memory, without files, that sees nothing but the event's own fields. What a
 * template puts out is escaped for a JSON text, so that data cannot leave the quotes around it; `| json` writes any
 * value as JSON.
 *
 * @see https://liquidjs.com
 */
function createEngine(): Liquid {
  const engine = new Liquid({
    parseLimit: MAX_CHARACTERS,
    renderLimit: RENDER_LIMIT_MS,
    memoryLimit: MEMORY_LIMIT,
    ownPropertyOnly: true,
    strictFilters: true,
    templates: {},
    outputEscape: escapeForJson,
  });
  for (const tag of FILE_TAGS) delete engine.tags[tag];
  engine.registerFilter("json", { raw: true, handler: (value: unknown) => JSON.stringify(value ?? null) });
  limitTemplates(engine, LIMITS);
  return engine;
}

/** What is wrong with a template that a caller gave. */
export function bodyTemplateIssues(path: string, template: unknown): readonly FieldIssue[] {
  if (typeof template !== "string" || template.trim() === "" || template.length > MAX_CHARACTERS) {
    return [{ path, message: `is a text of 1 to ${MAX_CHARACTERS} characters` }];
  }
  try {
    createEngine().parse(template);
    return [];
  } catch (error) {
    return [{ path, message: `is no Liquid template: ${error instanceof Error ? error.message : String(error)}` }];
  }
}

/** Writes bodies by templates, each of which is parsed once for as long as its owner is in memory. */
export function createBodyTemplates(): (owner: object, template: string, event: Event) => string {
  const engine = createEngine();
  const parsed = new WeakMap<object, readonly Template[]>();
  return (owner, template, event) => {
    const known = parsed.get(owner) ?? engine.parse(template);
    parsed.set(owner, known);
    const { id, type, timestamp, tenantId, data } = event;
    const body = String(engine.renderSync([...known], { id, type, timestamp, tenantId, data }));
    try {
      JSON.parse(body);
    } catch (cause) {
      throw new Error(`The endpoint's template wrote no JSON: ${(cause as Error).message}`, { cause });
    }
    return body;
  };
}

function escapeForJson(value: unknown): string {
  if (value === null || value === undefined) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return JSON.stringify(text).slice(1, -1);
}
