import { createHash } from "node:crypto";
import {
  type Destination,
  type DestinationContext,
  type DestinationRequest,
  type DestinationResponse,
  defineDestination,
  type Event,
  type Interpretation,
} from "@hookline/core";
import { z } from "zod";
import { DiscordConnectorError } from "../errors.js";
import { createCustomIds } from "../interactions/custom-id.js";
import { DISCORD_LIMITS } from "../message/limits.js";
import type { MessageContent } from "../message/message-content.js";
import { type RenderedMessage, renderMessage } from "../message/render-message.js";
import { assertSecret, checkBaseUrl } from "../options.js";
import { DISCORD_PROVIDER_ID } from "../provider.js";
import { REST_DEFAULTS, USER_AGENT } from "../rest/discord-rest.js";
import { interpretResponse } from "./interpret-response.js";
import { type DiscordMessageState, isOutdated } from "./message-state.js";
import { parseWebhookUrl } from "./webhook-url.js";

/** Where a message goes: a channel or thread, by the bot, or an incoming webhook, which needs no bot token. */
export type DiscordTarget = { readonly channelId: string } | { readonly webhookUrl: string };

/** How events of one type look. */
export interface DiscordTemplate<Data = unknown> {
  /** Null: there is nothing to say, and the delivery is done. */
  message(event: Event<Data>): MessageContent | null;
  /** What the event is about: a later one about the same thing edits the message in place. */
  entity?(event: Event<Data>): string | undefined;
}

export interface DiscordDestinationOptions {
  /** By event type; `*` stands for every other type. Without a template a message says the type and the time. */
  // biome-ignore lint/suspicious/noExplicitAny: each template knows the data of its own type
  readonly templates: Readonly<Record<string, DiscordTemplate<any>>>;
  /** Signs the buttons; the same as the connector's. At least 32 characters. */
  readonly componentSecret: string;
  /** Needed for targets with `channelId`. */
  readonly botToken?: string;
  /** `https://discord.com/api/v10` when absent. */
  readonly restBaseUrl?: string;
}

const targetSchema = z.union([
  z.object({ channelId: z.string().regex(/^\d{1,20}$/) }),
  z.object({ webhookUrl: z.string() }),
]);

/**
 * Posts a message for each event, or edits the one that stands for the event's entity, never back to an event of
 * before. Nobody is mentioned, and
 * everything is cut to Discord's limits. At least once; messages by the bot carry a nonce, so that Discord drops a
 * repetition within some minutes.
 *
 * A delivery fails for good with `invalid_target`, `bot_token_missing`, `custom_id_too_long`, and when Discord
 * answers 400 or 404. On 401 and 403 the endpoint is disabled and the delivery waits for it to be enabled again.
 *
 * @example
 * discordDestination({
 *   botToken,
 *   componentSecret,
 *   templates: { "ticket.created": { message: ({ data }) => ({ embeds: [{ title: data.title }] }) } },
 * });
 */
export function discordDestination(
  options: DiscordDestinationOptions,
): Destination<DiscordTarget, DiscordMessageState> {
  assertSecret("componentSecret", options.componentSecret);
  const restBaseUrl = checkBaseUrl("restBaseUrl", options.restBaseUrl ?? REST_DEFAULTS.restBaseUrl);
  const customIds = createCustomIds(options.componentSecret);
  const templateFor = (type: string): DiscordTemplate =>
    own(options.templates, type) ?? own(options.templates, "*") ?? PLAIN;

  const isAboutEntity = (event: Event) => templateFor(event.type).entity?.(event) !== undefined;

  /** Without an entity the dispatcher keeps one state for the whole endpoint, and nothing may be edited by that. */
  const stateOf = (event: Event, context: DestinationContext<DiscordTarget, DiscordMessageState>) =>
    isAboutEntity(event) ? context.state : null;

  function addressOf(target: unknown): Address {
    const parsed = targetSchema.safeParse(target);
    if (!parsed.success) {
      throw new DiscordConnectorError("invalid_target", "The target is { channelId } or { webhookUrl }.");
    }
    if ("webhookUrl" in parsed.data) {
      const { base, threadId } = parseWebhookUrl(parsed.data.webhookUrl, restBaseUrl);
      return { kind: "webhook", base, threadId };
    }
    if (options.botToken === undefined) {
      throw new DiscordConnectorError("bot_token_missing", "A target with channelId needs a botToken.");
    }
    return {
      kind: "channel",
      base: `${restBaseUrl}/channels/${parsed.data.channelId}/messages`,
      authorization: `Bot ${options.botToken}`,
    };
  }

  return defineDestination<DiscordTarget, DiscordMessageState>({
    id: DISCORD_PROVIDER_ID,
    entityOf: (event) => templateFor(event.type).entity?.(event),
    plan(event, context) {
      const message = templateFor(event.type).message(event);
      const state = stateOf(event, context);
      if (message === null || isOutdated(event, state)) return null;
      const address = addressOf(context.endpoint.target);
      const body = renderMessage(message, customIds);
      return { kind: "request", request: toRequest(address, body, { ...context, state }) };
    },
    interpret(response: DestinationResponse, context): Interpretation<DiscordMessageState> {
      const state = stateOf(context.event, context);
      return interpretResponse(response, {
        event: context.event,
        keepsState: isAboutEntity(context.event),
        edited: state?.messageId == null ? null : state,
        hasEndpoint: context.endpoint.id !== null,
      });
    },
  });
}

type Address =
  | { readonly kind: "webhook"; readonly base: string; readonly threadId: string | null }
  | { readonly kind: "channel"; readonly base: string; readonly authorization: string };

function toRequest(
  address: Address,
  body: RenderedMessage,
  { state, deliveryId }: DestinationContext<DiscordTarget, DiscordMessageState>,
): DestinationRequest {
  const edited = state?.messageId ?? null;
  const headers = { "content-type": "application/json", "user-agent": USER_AGENT };
  const method = edited === null ? "POST" : "PATCH";
  if (address.kind === "channel") {
    return {
      method,
      url: edited === null ? address.base : `${address.base}/${edited}`,
      headers: { ...headers, authorization: address.authorization },
      body: JSON.stringify(edited === null ? { ...body, nonce: nonceOf(deliveryId), enforce_nonce: true } : body),
    };
  }
  const query = new URLSearchParams();
  if (edited === null) query.set("wait", "true");
  if (address.threadId !== null) query.set("thread_id", address.threadId);
  if (body.components.length > 0) query.set("with_components", "true");
  const path = edited === null ? address.base : `${address.base}/messages/${edited}`;
  const search = query.toString();
  return { method, url: search === "" ? path : `${path}?${search}`, headers, body: JSON.stringify(body) };
}

/** The same for every attempt of a delivery. */
function nonceOf(deliveryId: string): string {
  return createHash("sha256").update(deliveryId).digest("base64url").slice(0, DISCORD_LIMITS.nonce);
}

function own<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** Says that something happened, and nothing of what: an event may hold what a channel must not show. */
const PLAIN: DiscordTemplate = {
  message: (event) => ({ embeds: [{ title: event.type, timestamp: event.timestamp }] }),
};
