import {
  type Destination,
  type DestinationContext,
  type DestinationRequest,
  type DestinationResponse,
  defineDestination,
  type Event,
  type Interpretation,
  type Plan,
  systemClock,
} from "@hookline/core";
import { DiscordConnectorError } from "../errors.js";
import { createCustomIds } from "../interactions/custom-id.js";
import type { Text } from "../message/markdown.js";
import { contentOf, type MessageContent } from "../message/message-content.js";
import { createMessageTemplates, mostExact } from "../message/message-template.js";
import { nonceOf } from "../message/nonce.js";
import { type RenderedMessage, renderMessage } from "../message/render-message.js";
import { assertSecret, checkBaseUrl } from "../options.js";
import { DISCORD_PROVIDER_ID } from "../provider.js";
import { createDiscordRest, REST_DEFAULTS, USER_AGENT } from "../rest/discord-rest.js";
import { createDiscordRateLimits, type DiscordRateLimits } from "../rest/rate-limits.js";
import { createChannelOwners } from "./channel-owners.js";
import { type DiscordTarget, parseDiscordTarget } from "./discord-target.js";
import { interpretResponse } from "./interpret-response.js";
import { addressOf, type MessageRoute, routeTo } from "./message-address.js";
import { type DiscordMessageState, isOutdated } from "./message-state.js";

/** How events of one type look. */
export interface DiscordTemplate<Data = unknown> {
  /**
   * Null: there is nothing to say, and the delivery is done. What throws fails the delivery for good; a promise that
   * rejects, such as for a database that can't be asked right now, has it tried again.
   */
  message(event: Event<Data>): TemplateMessage | Promise<TemplateMessage>;
  /** What the event is about: a later one about the same thing edits the message in place. */
  entity?(event: Event<Data>): string | undefined;
}

type TemplateMessage = MessageContent | Text | null;

export interface DiscordDestinationOptions {
  /** By event type, `ticket.*` or `*`; the most exact one counts. Without one a message says the type and the time. */
  // biome-ignore lint/suspicious/noExplicitAny: each template knows the data of its own type
  readonly templates: Readonly<Record<string, DiscordTemplate<any>>>;
  /** Signs the buttons; the same as the connector's. At least 32 characters. */
  readonly componentSecret: string;
  /** Needed for targets with `channelId`. */
  readonly botToken?: string;
  /** `https://discord.com/api/v10` when absent. */
  readonly restBaseUrl?: string;
  /** Those of the process: give the connector the same. Its own when absent. */
  readonly rateLimits?: DiscordRateLimits;
  /**
   * The tenant of a server; null for none. With it an endpoint's `channelId` has to be of a server of its tenant; a
   * failure of it has the delivery tried again. Absent: any channel that the bot sees.
   */
  readonly resolveTenant?: (guildId: string) => string | null | Promise<string | null>;
}

/** A place that is free so soon is waited for; else the delivery goes back into the queue. */
const LONGEST_WAIT_MS = 2_000;

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
  const rateLimits = options.rateLimits ?? createDiscordRateLimits();
  const customIds = createCustomIds(options.componentSecret);
  const messageTemplates = createMessageTemplates();
  const targetRules = { restBaseUrl, hasBot: options.botToken !== undefined, messageTemplates };
  const templateFor = (type: string): DiscordTemplate => mostExact(options.templates, type) ?? PLAIN;

  const isAboutEntity = (event: Event) => templateFor(event.type).entity?.(event) !== undefined;

  /** Without an entity the dispatcher keeps one state for the whole endpoint, and nothing may be edited by that. */
  const stateOf = (event: Event, context: DestinationContext<DiscordTarget, DiscordMessageState>) =>
    isAboutEntity(event) ? context.state : null;

  const routeFor = (target: unknown, state: DiscordMessageState | null, withComponents: boolean) =>
    routeTo(addressOf(target, { restBaseUrl, botToken: options.botToken }), state?.messageId ?? null, {
      withComponents,
    });

  const ownerOf = createChannelOwners({
    resolveTenant: options.resolveTenant,
    rest: createDiscordRest({ restBaseUrl, botToken: options.botToken, fetch, clock: systemClock, rateLimits }),
  });

  /** With what the endpoint's own templates say; a direct send brings templates that nobody has checked. */
  const checked = new WeakSet<object>();
  const messageFor = (event: Event, message: MessageContent, { templates }: DiscordTarget): MessageContent => {
    if (templates === undefined) return message;
    if (!checked.has(templates)) {
      const [issue] = messageTemplates.issues(templates);
      if (issue !== undefined) {
        const at = ["templates", ...issue.path].join(".");
        throw new DiscordConnectorError("invalid_target", `The target's ${at} ${issue.message}.`);
      }
      checked.add(templates);
    }
    const template = mostExact(templates, event.type);
    return template === undefined ? message : messageTemplates.apply(template, event, message);
  };

  return defineDestination<DiscordTarget, DiscordMessageState>({
    id: DISCORD_PROVIDER_ID,
    parseTarget: (target) => parseDiscordTarget(target, targetRules),
    entityOf: (event) => templateFor(event.type).entity?.(event),
    async plan(event, context): Promise<Plan<DiscordMessageState>> {
      const state = stateOf(event, context);
      if (isOutdated(event, state)) return null;
      const made = await Promise.resolve(messageBy(templateFor(event.type), event)).then(
        (message) => ({ ok: true, message }) as const,
        (error: unknown) => ({ ok: false, reason: `The template failed: ${String(error)}` }) as const,
      );
      if (!made.ok) return { kind: "run", run: async () => ({ outcome: "retry", reason: made.reason }) };
      const { message } = made;
      if (message === null) return null;
      const { signal, deliveryId: id } = context;
      const body = renderMessage(messageFor(event, contentOf(message), context.endpoint.target), customIds);
      const route = routeFor(context.endpoint.target, state, body.components.length > 0);
      const owner = await ownerOf(context.endpoint.target, signal);
      if (owner.kind === "later") return { kind: "run", run: async () => owner.interpretation };
      if (owner.kind === "known" && owner.tenantId !== context.endpoint.tenantId) {
        throw new DiscordConnectorError("invalid_target", "The target's channelId is of no server of this tenant.");
      }
      const place = await rateLimits.take({ ...route, id }, { maxWaitMs: LONGEST_WAIT_MS, signal });
      if (place.ok) return { kind: "request", request: toRequest(route, body, id) };
      const { waitMs } = place;
      if (place.reason === "rate_limited") return { kind: "wait", waitMs };
      return { kind: "run", run: async () => ({ outcome: "retry", retryInMs: waitMs, reason: STOPPED }) };
    },
    interpret(response: DestinationResponse, context): Interpretation<DiscordMessageState> {
      const state = stateOf(context.event, context);
      const { status, headers } = response;
      const body = parseJson(response.body);
      rateLimits.settle(
        { ...routeFor(context.endpoint.target, state, false), id: context.deliveryId },
        { status, header: (name) => headers[name], body },
      );
      return interpretResponse(
        { status, body, retryAfter: headers["retry-after"] },
        {
          event: context.event,
          keepsState: isAboutEntity(context.event),
          edited: state?.messageId == null ? null : state,
          hasEndpoint: context.endpoint.id !== null,
        },
      );
    },
  });
}

/** Says in the delivery's reason where the error comes from. */
function messageBy(template: DiscordTemplate, event: Event): TemplateMessage | Promise<TemplateMessage> {
  try {
    return template.message(event);
  } catch (error) {
    throw new DiscordConnectorError("invalid_definition", `The template failed: ${String(error)}`, { cause: error });
  }
}

const STOPPED = "Nothing is sent: Discord refused so many requests that it would ban this address.";

/** A message by the bot carries a nonce, which is the same for every attempt of a delivery. */
function toRequest(route: MessageRoute, body: RenderedMessage, deliveryId: string): DestinationRequest {
  const { method, url, authorization } = route;
  const headers = { "content-type": "application/json", "user-agent": USER_AGENT };
  if (authorization === undefined) return { method, url, headers, body: JSON.stringify(body) };
  const nonce = method === "POST" ? { nonce: nonceOf(deliveryId), enforce_nonce: true } : {};
  return { method, url, headers: { ...headers, authorization }, body: JSON.stringify({ ...body, ...nonce }) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's page, or a body cut at the dispatcher's limit: the status says what counts.
    return null;
  }
}

/** Says that something happened, and nothing of what: an event may hold what a channel must not show. */
const PLAIN: DiscordTemplate = {
  message: (event) => ({ embeds: [{ title: event.type, timestamp: event.timestamp }] }),
};
