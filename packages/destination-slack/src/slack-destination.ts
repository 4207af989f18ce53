import {
  type Destination,
  type DestinationContext,
  type DestinationRequest,
  defineDestination,
  type Event,
} from "@hookline/core";
import { SlackDestinationError } from "./errors.js";
import { interpretResponse, type SlackMessageState } from "./interpret-response.js";
import { type RenderedMessage, renderMessage } from "./message/render-message.js";
import type { SlackMessage } from "./message/slack-message.js";
import { addressOf, parseTarget, type SlackAddress, type SlackTarget } from "./slack-target.js";

/** The id under which the destination is registered. */
export const SLACK_DESTINATION_ID = "slack";

/** How events of one type look. */
export interface SlackTemplate<Data = unknown> {
  /** Null: there is nothing to say, and the delivery is done. */
  message(event: Event<Data>): SlackMessage | null;
  /** What the event is about: a later one about the same thing edits the message in place, where a bot sent it. */
  entity?(event: Event<Data>): string | undefined;
}

export interface SlackDestinationOptions {
  /** By event type; `*` stands for every other type. Without a template a message says the type and the time. */
  // biome-ignore lint/suspicious/noExplicitAny: each template knows the data of its own type
  readonly templates: Readonly<Record<string, SlackTemplate<any>>>;
  /** Needed for targets with `channelId`: `xoxb-…`, with the scope `chat:write`. */
  readonly botToken?: string;
  /**
   * Whose a channel is, by its id: a delivery of any other tenant fails with `invalid_target`. A failure of it has
   * the delivery tried again. Without it every tenant may post to every channel that the bot is in, which suits an app
   * with one tenant. Webhook URLs are secrets of their own and not asked about.
   */
  readonly resolveTenant?: (channelId: string) => string | null | Promise<string | null>;
  /** `https://slack.com/api` when absent. */
  readonly apiBaseUrl?: string;
  /** Where incoming webhooks may lie. Default: `https://hooks.slack.com` and `https://hooks.slack-gov.com`. */
  readonly webhookBaseUrls?: readonly string[];
}

const DEFAULTS = {
  apiBaseUrl: "https://slack.com/api",
  webhookBaseUrls: ["https://hooks.slack.com", "https://hooks.slack-gov.com"],
} as const satisfies Partial<SlackDestinationOptions>;

/**
 * Posts a message for each event: a coloured bar, title with link, details, time. With a bot, a later event about the
 * same entity edits its message; an incoming webhook can only post. At least once: Slack drops no repetition, so a
 * crash between sending and recording shows a message twice.
 *
 * A delivery fails for good with `invalid_target`, `bot_token_missing` and `invalid_message`, and when Slack refuses
 * the message for what it is. When a token, a scope or a membership is wrong, the endpoint is disabled and its
 * deliveries wait for it to be enabled again.
 *
 * @throws SlackDestinationError `invalid_option`
 *
 * @example
 * slackDestination({
 *   templates: {
 *     "ticket.created": {
 *       message: ({ data }) => ({ title: data.title, url: data.url, color: "info" }),
 *     },
 *   },
 * });
 */
export function slackDestination(options: SlackDestinationOptions): Destination<SlackTarget, SlackMessageState> {
  const apiBaseUrl = checkBaseUrl("apiBaseUrl", options.apiBaseUrl ?? DEFAULTS.apiBaseUrl);
  const webhookBaseUrls = (options.webhookBaseUrls ?? DEFAULTS.webhookBaseUrls).map((base, index) =>
    checkBaseUrl(`webhookBaseUrls[${index}]`, base),
  );
  const { resolveTenant } = options;
  if (webhookBaseUrls.length === 0) throw new SlackDestinationError("invalid_option", "webhookBaseUrls is empty.");
  const templateFor = (type: string): SlackTemplate =>
    own(options.templates, type) ?? own(options.templates, "*") ?? PLAIN;

  const bot = (): string => {
    if (options.botToken !== undefined) return options.botToken;
    throw new SlackDestinationError("bot_token_missing", "A target with channelId needs a botToken.");
  };

  const toRequest = (
    address: SlackAddress,
    body: RenderedMessage,
    state: SlackMessageState | null,
  ): DestinationRequest => {
    const headers = { "content-type": "application/json; charset=utf-8" };
    if (address.kind === "webhook") return { method: "POST", url: address.url, headers, body: JSON.stringify(body) };
    const edited = state?.ts == null ? null : { channel: state.channelId, ts: state.ts };
    return {
      method: "POST",
      url: `${apiBaseUrl}/${edited === null ? "chat.postMessage" : "chat.update"}`,
      headers: { ...headers, authorization: `Bearer ${bot()}` },
      body: JSON.stringify({ ...(edited ?? { channel: address.channelId }), ...body }),
    };
  };

  const entityOf = (event: Event): string | undefined => templateFor(event.type).entity?.(event);

  /** Without an entity the dispatcher keeps one state for the whole endpoint, and nothing may be edited by that. */
  const stateOf = (event: Event, { state }: DestinationContext<SlackTarget, SlackMessageState>) =>
    entityOf(event) === undefined ? null : state;

  return defineDestination<SlackTarget, SlackMessageState>({
    id: SLACK_DESTINATION_ID,
    parseTarget: (target) => parseTarget(target, { webhookBaseUrls, hasBot: options.botToken !== undefined }),
    entityOf,
    async plan(event, context) {
      const message = templateFor(event.type).message(event);
      const state = stateOf(event, context);
      if (message === null || isOutdated(event, state)) return null;
      const { target, tenantId } = context.endpoint;
      const address = addressOf(target, webhookBaseUrls);
      if (address.kind === "channel" && resolveTenant) {
        const owner = await ownerOf(address.channelId, resolveTenant);
        if (!owner.ok) return { kind: "run", run: async () => ({ outcome: "retry", reason: owner.reason }) };
        if (owner.tenantId !== tenantId) {
          throw new SlackDestinationError("invalid_target", "The target's channelId is of no channel of this tenant.");
        }
      }
      return { kind: "request", request: toRequest(address, renderMessage(message, event.timestamp), state) };
    },
    interpret(response, context) {
      const state = stateOf(context.event, context);
      return interpretResponse(response, {
        eventTimestamp: context.event.timestamp,
        keepsState: entityOf(context.event) !== undefined,
        edited: state?.ts == null ? null : state,
      });
    },
  });
}

/** Not `ok` when it can't be told now: that costs an attempt, and never the delivery. */
async function ownerOf(channelId: string, resolveTenant: NonNullable<SlackDestinationOptions["resolveTenant"]>) {
  try {
    return { ok: true, tenantId: await resolveTenant(channelId) } as const;
  } catch (error) {
    return { ok: false, reason: `The look-up of the channel's tenant failed: ${String(error)}` } as const;
  }
}

/** The message shows something newer: this event, which a retry has held up, would set it back. */
function isOutdated(event: Event, state: SlackMessageState | null): boolean {
  return state !== null && Date.parse(event.timestamp) < Date.parse(state.shows);
}

function checkBaseUrl(name: string, value: string): string {
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) {
    throw new SlackDestinationError("invalid_option", `${name} is an http or https address.`);
  }
  return value.replace(/\/+$/, "");
}

function own<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** Says that something happened, and nothing of what: an event may hold what a channel must not show. */
const PLAIN: SlackTemplate = { message: (event) => ({ title: event.type }) };
