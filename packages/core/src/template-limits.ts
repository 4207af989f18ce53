/** What is needed of LiquidJS's engine, whichever copy of it a package has. */
export interface LimitedTemplates {
  readonly renderer: object;
  readonly filters: Readonly<Record<string, unknown>>;
  readonly options: object;
}

/** In characters, over one rendering. */
export interface TemplateLimits {
  /** Of what a template, or a part of it that is captured, writes. */
  readonly maxOutputCharacters: number;
  /** Of a list or an object that is written or given to a filter, with all that is in it. */
  readonly maxValueCharacters: number;
}

interface Rendering {
  readonly memoryLimit: { use(count: number): void };
  readonly renderLimit: { check(nowMs: number): void };
}
interface Output {
  buffer: string;
  write(value: unknown): void;
}
type Render = (templates: unknown, rendering: Rendering, output?: Output) => unknown;
type Handler = (this: { readonly context?: Rendering } | undefined, ...values: unknown[]) => unknown;

/**
 * Has a LiquidJS engine count what templates write while they write it: its `memoryLimit` counts neither that, nor how
 * large a list is that holds the same list many times. A rendering that makes more throws. Its `renderLimit` is looked at
 * before each filter too, and filters that evaluate an expression for each entry (`where_exp` and the like) are taken
 * away: one within the other they run for days between two looks.
 */
export function limitTemplates(engine: LimitedTemplates, limits: TemplateLimits): void {
  const renderer = engine.renderer as { renderTemplates: Render };
  const render = renderer.renderTemplates.bind(renderer);
  renderer.renderTemplates = (templates, rendering, output = createOutput(rendering, limits)) =>
    render(templates, rendering, output);
  const options = engine.options as { outputEscape?: Handler };
  if (options.outputEscape !== undefined) options.outputEscape = limitedHandler(options.outputEscape, limits);
  const filters = engine.filters as Record<string, Handler | { readonly handler: Handler; readonly raw: boolean }>;
  for (const [name, filter] of Object.entries(filters)) {
    if (name.endsWith("_exp")) {
      delete filters[name];
      continue;
    }
    filters[name] =
      typeof filter === "function"
        ? limitedHandler(filter, limits)
        : { ...filter, handler: limitedHandler(filter.handler, limits) };
  }
}

function limitedHandler(handler: Handler, { maxValueCharacters }: TemplateLimits): Handler {
  return function (...values) {
    this?.context?.renderLimit.check(performance.now());
    for (const value of values) refuseAbove(value, maxValueCharacters);
    return handler.apply(this, values);
  };
}

function createOutput(rendering: Rendering, { maxOutputCharacters, maxValueCharacters }: TemplateLimits): Output {
  return {
    buffer: "",
    write(value) {
      refuseAbove(value, maxValueCharacters);
      const text = textOf(value);
      if (this.buffer.length + text.length > maxOutputCharacters) {
        throw new Error(`The template writes more than ${maxOutputCharacters} characters.`);
      }
      rendering.memoryLimit.use(text.length);
      this.buffer += text;
    },
  };
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (value === null || value === undefined) return "";
  return Array.isArray(value) ? value.map(textOf).join("") : String(value);
}

function refuseAbove(value: unknown, most: number): void {
  if (typeof value === "object" && countCharacters(value, most) > most) {
    throw new Error(`The template makes a value of more than ${most} characters.`);
  }
}

/** About how many characters a value has as JSON; more than `most` is not counted to its end. */
export function countCharacters(value: unknown, most: number): number {
  const left: unknown[] = [value];
  let characters = 0;
  while (left.length > 0 && characters <= most) {
    const one = left.pop();
    if (typeof one === "string") {
      characters += one.length + 2;
    } else if (Array.isArray(one)) {
      characters += one.length + 2;
      for (const entry of one) left.push(entry);
    } else if (typeof one === "object" && one !== null) {
      characters += 2;
      for (const [name, entry] of Object.entries(one)) {
        characters += name.length + 4;
        left.push(entry);
      }
    } else {
      characters += 4;
    }
  }
  return characters;
}
