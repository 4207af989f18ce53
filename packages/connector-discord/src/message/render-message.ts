import type { APIActionRowComponent, APIComponentInMessageActionRow, APIEmbed } from "discord-api-types/v10";
import { ButtonStyle, ComponentType } from "discord-api-types/v10";
import type { CustomIds } from "../interactions/custom-id.js";
import { cutText } from "./cut-text.js";
import { DISCORD_LIMITS } from "./limits.js";
import { type Text, toMarkdown } from "./markdown.js";
import type { ActionButton, LinkButton, MessageContent, MessageEmbed } from "./message-content.js";
import { orderedParams } from "./ordered-params.js";
import { renderSelect } from "./render-select.js";

/** A message as Discord takes it. */
export interface RenderedMessage {
  readonly content: string;
  readonly embeds: readonly APIEmbed[];
  readonly components: readonly APIActionRowComponent<APIComponentInMessageActionRow>[];
  readonly allowed_mentions: {
    readonly parse: readonly [];
    readonly users?: readonly string[];
    readonly roles?: readonly string[];
  };
}

/** Who is notified of a message, by id. */
export interface Mentions {
  readonly userIds?: readonly string[];
  readonly roleIds?: readonly string[];
}

const STYLES = {
  primary: ButtonStyle.Primary,
  secondary: ButtonStyle.Secondary,
  success: ButtonStyle.Success,
  danger: ButtonStyle.Danger,
} as const;

/** A field without words is refused by Discord. */
const NOTHING = "–";

/**
 * Makes the body of a message: plain text escaped, everything cut to the limits, nobody notified but those to mention,
 * who are named first. Content, embeds and components are always there, so that an edit leaves nothing of the message
 * before.
 */
export function renderMessage(message: MessageContent, customIds: CustomIds, mentions: Mentions = {}): RenderedMessage {
  const { userIds = [], roleIds = [] } = mentions;
  const named = [...userIds.map((id) => `<@${id}> `), ...roleIds.map((id) => `<@&${id}> `)].join("");
  const content = named + cutText(toMarkdown(message.content ?? ""), DISCORD_LIMITS.content - named.length);
  const embeds = renderEmbeds(message.embeds ?? []);
  return {
    content: isBlank(content) && embeds.length === 0 ? NOTHING : content,
    embeds,
    components: renderRows(message, customIds),
    allowed_mentions: {
      parse: [],
      ...(userIds.length === 0 ? {} : { users: userIds }),
      ...(roleIds.length === 0 ? {} : { roles: roleIds }),
    },
  };
}

function renderEmbeds(embeds: readonly MessageEmbed[]): APIEmbed[] {
  const budget = { left: DISCORD_LIMITS.embedTotal };
  const rendered: APIEmbed[] = [];
  for (const embed of embeds.slice(0, DISCORD_LIMITS.embeds)) {
    const fitted = renderEmbed(embed, budget);
    if (fitted !== null) rendered.push(fitted);
  }
  return rendered;
}

/** Takes from the shared budget in order of weight: title, author, footer, description, then the fields that still fit. */
function renderEmbed(embed: MessageEmbed, budget: { left: number }): APIEmbed | null {
  const take = (text: Text | undefined, limit: number, plain: boolean): string | undefined => {
    if (text === undefined) return undefined;
    const whole = plain && typeof text === "string" ? text : toMarkdown(text);
    const cut = cutText(whole, Math.min(limit, budget.left));
    if (isBlank(cut)) return undefined;
    budget.left -= cut.length;
    return cut;
  };
  const title = take(embed.title, DISCORD_LIMITS.embedTitle, false);
  const author = take(embed.author, DISCORD_LIMITS.embedAuthor, true);
  const footer = take(embed.footer, DISCORD_LIMITS.embedFooter, true);
  const description = take(embed.description, DISCORD_LIMITS.embedDescription, false);
  const fields: { name: string; value: string; inline: boolean }[] = [];
  for (const field of (embed.fields ?? []).slice(0, DISCORD_LIMITS.embedFields)) {
    const name = orNothing(cutText(toMarkdown(field.name), DISCORD_LIMITS.embedFieldName));
    if (budget.left < name.length + 1) break;
    const value = orNothing(
      cutText(toMarkdown(field.value), Math.min(DISCORD_LIMITS.embedFieldValue, budget.left - name.length)),
    );
    budget.left -= name.length + value.length;
    fields.push({ name, value, inline: field.inline ?? false });
  }
  if ([title, author, footer, description].every((part) => part === undefined) && fields.length === 0) return null;
  return {
    ...(title === undefined ? {} : { title }),
    ...(author === undefined ? {} : { author: { name: author } }),
    ...(footer === undefined ? {} : { footer: { text: footer } }),
    ...(description === undefined ? {} : { description }),
    ...(fields.length === 0 ? {} : { fields }),
    ...urlOf(embed.url),
    ...(embed.color === undefined ? {} : { color: embed.color }),
    ...timestampOf(embed.timestamp),
  };
}

function timestampOf(moment: Date | string | undefined): { readonly timestamp?: string } {
  const timeMs = moment === undefined ? Number.NaN : new Date(moment).getTime();
  return Number.isNaN(timeMs) ? {} : { timestamp: new Date(timeMs).toISOString() };
}

function isBlank(text: string): boolean {
  return text.trim() === "";
}

function orNothing(text: string): string {
  return isBlank(text) ? NOTHING : text;
}

function urlOf(text: string | undefined): { readonly url?: string } {
  const url = webAddress(text);
  return url === null ? {} : { url };
}

/**
 * What Discord takes as a link, else null: an address from an event's data may be anything, and one bad link would sink
 * the message. Blanks and letters of other scripts are written as an address bar writes them.
 */
function webAddress(text: string | undefined): string | null {
  if (text === undefined || !URL.canParse(text)) return null;
  const { href, protocol } = new URL(text);
  if (protocol !== "http:" && protocol !== "https:") return null;
  const url = /^https?:\/\/[!-~]+$/i.test(text) ? text : href;
  return url.length > DISCORD_LIMITS.url ? null : url;
}

/** A row for each menu, then the buttons in the rows that are left. */
function renderRows({ selects = [], buttons = [] }: MessageContent, customIds: CustomIds) {
  const rows: APIActionRowComponent<APIComponentInMessageActionRow>[] = selects
    .slice(0, DISCORD_LIMITS.rows)
    .map((menu) => ({ type: ComponentType.ActionRow, components: [renderSelect(menu, customIds)] }));
  const shown = buttons
    .flatMap((item): (ActionButton | LinkButton)[] => {
      const url = item.kind === "link" ? webAddress(item.url) : null;
      return item.kind === "action" ? [item] : url === null ? [] : [{ ...item, url }];
    })
    .slice(0, DISCORD_LIMITS.buttonsPerRow * (DISCORD_LIMITS.rows - rows.length));
  for (let start = 0; start < shown.length; start += DISCORD_LIMITS.buttonsPerRow) {
    rows.push({
      type: ComponentType.ActionRow,
      components: shown.slice(start, start + DISCORD_LIMITS.buttonsPerRow).map((item) => renderButton(item, customIds)),
    });
  }
  return rows;
}

function renderButton(item: ActionButton | LinkButton, customIds: CustomIds): APIComponentInMessageActionRow {
  const label = orNothing(cutText(item.label, DISCORD_LIMITS.buttonLabel));
  if (item.kind === "link") return { type: ComponentType.Button, style: ButtonStyle.Link, label, url: item.url };
  return {
    type: ComponentType.Button,
    style: STYLES[item.style],
    label,
    disabled: item.disabled,
    custom_id: customIds.encode({
      kind: "button",
      name: item.definition.name,
      params: orderedParams(item.definition.name, item.definition.params, item.params),
    }),
  };
}
