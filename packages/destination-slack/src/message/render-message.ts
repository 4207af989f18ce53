import { SlackDestinationError } from "../errors.js";
import { escapeMrkdwn } from "./mrkdwn.js";
import { SLACK_COLORS, SLACK_LIMITS, type SlackColor, type SlackField, type SlackMessage } from "./slack-message.js";

interface MrkdwnText {
  readonly type: "mrkdwn";
  readonly text: string;
  /** Slack makes no links and no mentions of what merely looks like one. */
  readonly verbatim: true;
}

type Block =
  | { readonly type: "section"; readonly text: MrkdwnText }
  | { readonly type: "section"; readonly fields: readonly MrkdwnText[] }
  | { readonly type: "context"; readonly elements: readonly MrkdwnText[] };

/** The body that both an incoming webhook and `chat.postMessage` take. */
export interface RenderedMessage {
  /** What notifications and screen readers say. */
  readonly text: string;
  readonly attachments: readonly { readonly color: string; readonly blocks: readonly Block[] }[];
  readonly unfurl_links: false;
  readonly unfurl_media: false;
}

/**
 * Renders a message within Slack's limits: what is too long is cut with an ellipsis, never refused.
 *
 * @param timestamp - ISO 8601; shown in each reader's own time zone.
 * @throws SlackDestinationError `invalid_message`
 */
export function renderMessage(message: SlackMessage, timestamp: string): RenderedMessage {
  const blocks: Block[] = [{ type: "section", text: mrkdwn(titleOf(message)) }];
  // Slack refuses a text without a character.
  if (hasText(message.text)) {
    blocks.push({ type: "section", text: mrkdwn(escapeMrkdwn(message.text, SLACK_LIMITS.sectionText)) });
  }
  const fields = message.fields?.slice(0, SLACK_LIMITS.sectionFields).map(fieldOf) ?? [];
  if (fields.length > 0) blocks.push({ type: "section", fields });
  blocks.push({ type: "context", elements: [mrkdwn(footerOf(message, timestamp))] });
  return {
    text: escapeMrkdwn(message.title, SLACK_LIMITS.notificationText),
    attachments: [{ color: colorOf(message.color ?? "neutral"), blocks }],
    unfurl_links: false,
    unfurl_media: false,
  };
}

const mrkdwn = (text: string): MrkdwnText => ({ type: "mrkdwn", text, verbatim: true });

const hasText = (text: string | undefined): text is string => text !== undefined && text.trim() !== "";

function titleOf({ title, url }: SlackMessage): string {
  if (!hasText(title)) throw new SlackDestinationError("invalid_message", "A message needs a title.");
  if (url === undefined) return `*${escapeMrkdwn(title, SLACK_LIMITS.sectionText - 2)}*`;
  const href = linkOf(url);
  // A bar would end the address, a line break the link.
  const label = title.replaceAll("|", "¦").replaceAll(/\s+/g, " ");
  return `*<${href}|${escapeMrkdwn(label, SLACK_LIMITS.sectionText - href.length - 5)}>*`;
}

function linkOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || (parsed.protocol !== "https:" && parsed.protocol !== "http:")) {
    throw new SlackDestinationError("invalid_message", "A message's url is an http or https address.");
  }
  const href = parsed.href
    .replaceAll("|", "%7C")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "%3C")
    .replaceAll(">", "%3E");
  if (href.length > SLACK_LIMITS.url) {
    throw new SlackDestinationError("invalid_message", `A message's url has ${SLACK_LIMITS.url} characters at most.`);
  }
  return href;
}

function fieldOf({ name, value }: SlackField): MrkdwnText {
  const shownName = escapeMrkdwn(name, SLACK_LIMITS.fieldText / 4);
  return mrkdwn(`*${shownName}*\n${escapeMrkdwn(value, SLACK_LIMITS.fieldText - shownName.length - 3)}`);
}

function footerOf({ footer }: SlackMessage, timestamp: string): string {
  const seconds = Math.floor(Date.parse(timestamp) / 1000);
  const time = `<!date^${seconds}^{date_short_pretty} {time}|${timestamp}>`;
  return hasText(footer) ? `${time}  ·  ${escapeMrkdwn(footer, SLACK_LIMITS.contextText - time.length - 5)}` : time;
}

function colorOf(color: SlackColor | `#${string}`): string {
  if (Object.hasOwn(SLACK_COLORS, color)) return SLACK_COLORS[color as SlackColor];
  if (/^#[0-9a-f]{6}$/i.test(color)) return color;
  throw new SlackDestinationError("invalid_message", "A message's color is a name of SLACK_COLORS or #rrggbb.");
}
