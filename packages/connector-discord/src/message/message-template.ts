import { type Event, limitTemplates } from "@hookline/core";
import { Liquid, type Template } from "liquidjs";
import { z } from "zod";
import { escapeMarkdown, type Markdown } from "./markdown.js";
import type { LinkButton, MessageContent, MessageEmbed } from "./message-content.js";

/**
 * What a message about an event looks like, as JSON. Every text is a Liquid template over `id`, `type`, `timestamp`,
 * `tenantId` and `data` of the event. Markup in the template is meant, what the event puts into it is escaped, and what
 * comes out empty is left out.
 *
 * @see https://liquidjs.com
 */
export interface DiscordMessageTemplate {
  readonly content?: string;
  readonly title?: string;
  /** Where the title leads: an http(s) address. */
  readonly url?: string;
  readonly description?: string;
  /** `#rrggbb`, or a template that writes one. */
  readonly color?: string;
  /** At most 25. */
  readonly fields?: readonly { readonly name: string; readonly value: string; readonly inline?: boolean }[];
  readonly author?: string;
  readonly footer?: string;
  /** Buttons that open an address; at most 25. */
  readonly buttons?: readonly { readonly label: string; readonly url: string }[];
}

/** By event type, `ticket.*` or `*`; the most exact one counts. */
export type DiscordMessageTemplates = Readonly<Record<string, DiscordMessageTemplate>>;

/** Checks message templates, and writes messages by them. */
export interface MessageTemplates {
  /** What is wrong with templates by event type, and where below them. */
  issues(templates: unknown): readonly TemplateIssue[];
  /** `base` with what the template says in its place; buttons that act stay. */
  apply(template: DiscordMessageTemplate, event: Event, base: MessageContent): MessageContent;
}

interface TemplateIssue {
  readonly path: readonly string[];
  readonly message: string;
}

const MAX_TEMPLATES = 100;
const MAX_CHARACTERS = 8_192;
const LIMITS = {
  parseLimit: MAX_CHARACTERS,
  /** Milliseconds of one rendering. */
  renderLimit: 250,
  /** In LiquidJS's count. */
  memoryLimit: 1_000_000,
} as const satisfies Record<string, number>;
/** Of one text. Discord shows no more than 4,096. */
const MAX_OUTPUT_CHARACTERS = 65_536;

const EVENT_PATTERN = /^(\*|[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(\.\*)?)$/;

const text = z.string().min(1).max(MAX_CHARACTERS);

const templateSchema = z
  .strictObject({
    content: text,
    title: text,
    url: text,
    description: text,
    color: text.refine((value) => value.includes("{") || colorOf(value) !== undefined, {
      message: "is #rrggbb, or a template that writes one",
    }),
    fields: z
      .array(z.strictObject({ name: text, value: text, inline: z.boolean().optional() }))
      .min(1)
      .max(25),
    author: text,
    footer: text,
    buttons: z
      .array(z.strictObject({ label: text, url: text }))
      .min(1)
      .max(25),
  })
  .partial()
  .refine((template) => Object.keys(template).length > 0, { message: "says nothing" });

const templatesSchema = z
  .record(z.string().max(128).regex(EVENT_PATTERN), templateSchema)
  .refine((templates) => Object.keys(templates).length <= MAX_TEMPLATES, { message: `are at most ${MAX_TEMPLATES}` });

/** The most exact of what is said for event types, `ticket.*` and `*`. */
export function mostExact<Value>(byType: Readonly<Record<string, Value>>, type: string): Value | undefined {
  const keys = [type];
  for (let end = type.lastIndexOf("."); end > 0; end = type.lastIndexOf(".", end - 1)) {
    keys.push(`${type.slice(0, end)}.*`);
  }
  const key = [...keys, "*"].find((one) => Object.hasOwn(byType, one));
  return key === undefined ? undefined : byType[key];
}

export function createMessageTemplates(): MessageTemplates {
  const words = createLiquid((value) => escapeMarkdown(textOf(value)));
  const plain = createLiquid(textOf);
  const parsed = new WeakMap<object, Parsed>();

  const parse = (template: DiscordMessageTemplate): Parsed => {
    const known =
      parsed.get(template) ?? mapTexts(template, (value, { isPlain }) => (isPlain ? plain : words).parse(value));
    parsed.set(template, known);
    return known;
  };

  return {
    issues(templates) {
      const result = templatesSchema.safeParse(templates);
      if (!result.success) {
        return result.error.issues.map(({ code, path, message }) => ({
          path: path.map(String),
          message: code === "invalid_key" ? "is no event type, ticket.* or *" : message,
        }));
      }
      return Object.entries(result.data).flatMap(([type, template]) => {
        const issues: TemplateIssue[] = [];
        mapTexts(template as DiscordMessageTemplate, (value, { at }) => {
          const fault = faultOf(plain, value);
          if (fault !== null)
            issues.push({ path: [type, ...at.split(".")], message: `is no Liquid template: ${fault}` });
        });
        return issues;
      });
    },

    apply(template, event, base) {
      const { id, type, timestamp, tenantId, data } = event;
      const scope = { id, type, timestamp, tenantId, data };
      const made = mapTexts(parse(template), (value, { isPlain }) =>
        String((isPlain ? plain : words).renderSync([...value], { ...scope })).trim(),
      );
      return merge(base, made);
    },
  };
}

/** The template's own shape, with something else in the place of its texts. */
interface Shape<Value> {
  content?: Value;
  title?: Value;
  url?: Value;
  description?: Value;
  color?: Value;
  author?: Value;
  footer?: Value;
  fields?: readonly { readonly name: Value; readonly value: Value; readonly inline?: boolean }[];
  buttons?: readonly { readonly label: Value; readonly url: Value }[];
}

type Parsed = Shape<readonly Template[]>;

interface Place {
  /** Such as `fields.0.name`. */
  readonly at: string;
  /** Discord reads no markup there. */
  readonly isPlain: boolean;
}

const TEXTS = ["content", "title", "url", "description", "color", "author", "footer"] as const;
const PLAIN_TEXTS: ReadonlySet<string> = new Set(["url", "color", "author", "footer"]);

function mapTexts<From, To>(template: Readonly<Shape<From>>, map: (value: From, place: Place) => To): Shape<To> {
  const shape: Shape<To> = {};
  for (const name of TEXTS) {
    const value = template[name];
    if (value !== undefined) shape[name] = map(value, { at: name, isPlain: PLAIN_TEXTS.has(name) });
  }
  if (template.fields !== undefined) {
    shape.fields = template.fields.map(({ name, value, ...field }, index) => ({
      ...field,
      name: map(name, { at: `fields.${index}.name`, isPlain: false }),
      value: map(value, { at: `fields.${index}.value`, isPlain: false }),
    }));
  }
  if (template.buttons !== undefined) {
    shape.buttons = template.buttons.map(({ label, url }, index) => ({
      label: map(label, { at: `buttons.${index}.label`, isPlain: true }),
      url: map(url, { at: `buttons.${index}.url`, isPlain: true }),
    }));
  }
  return shape;
}

/** The first embed with what was written in its place; nothing where that is empty. */
function merge(base: MessageContent, written: Shape<string>): MessageContent {
  const [first, ...others] = base.embeds ?? [];
  const { content, fields, buttons } = written;
  const embed: MessageEmbed = {
    ...first,
    ...(written.title === undefined ? {} : { title: markdownOf(written.title) }),
    ...(written.description === undefined ? {} : { description: markdownOf(written.description) }),
    ...(written.url === undefined ? {} : { url: written.url }),
    ...(written.author === undefined ? {} : { author: written.author }),
    ...(written.footer === undefined ? {} : { footer: written.footer }),
    ...colorIn(written.color),
    ...(fields === undefined ? {} : { fields: fields.flatMap((field) => fieldOf(field)) }),
  };
  const acting = (base.buttons ?? []).filter(({ kind }) => kind === "action");
  return {
    ...base,
    ...(content === undefined ? {} : { content: markdownOf(content) }),
    ...(saysEmbed(written) ? { embeds: [embed, ...others] } : {}),
    ...(buttons === undefined ? {} : { buttons: [...acting, ...buttons.flatMap((button) => linkOf(button))] }),
  };
}

function saysEmbed({ content: _content, buttons: _buttons, ...embed }: Shape<string>): boolean {
  return Object.keys(embed).length > 0;
}

function markdownOf(markdown: string): Markdown {
  return { markdown };
}

function fieldOf({ name, value, inline = false }: { name: string; value: string; inline?: boolean }) {
  return value === "" ? [] : [{ name: markdownOf(name), value: markdownOf(value), inline }];
}

function linkOf({ label, url }: { label: string; url: string }): LinkButton[] {
  return label === "" || url === "" ? [] : [{ kind: "link", label, url }];
}

function colorIn(text: string | undefined): { readonly color?: number } {
  const color = text === undefined ? undefined : colorOf(text);
  return color === undefined ? {} : { color };
}

function colorOf(text: string): number | undefined {
  return /^#[0-9a-f]{6}$/i.test(text) ? Number.parseInt(text.slice(1), 16) : undefined;
}

/** Sees own properties of the event and no files. */
function createLiquid(outputEscape: (value: unknown) => string): Liquid {
  const engine = new Liquid({ ...LIMITS, ownPropertyOnly: true, strictFilters: true, templates: {}, outputEscape });
  limitTemplates(engine, { maxOutputCharacters: MAX_OUTPUT_CHARACTERS, maxValueCharacters: LIMITS.memoryLimit });
  return engine;
}

function faultOf(engine: Liquid, text: string): string | null {
  try {
    engine.parse(text);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
