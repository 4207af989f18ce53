import { SlackDestinationError } from "./errors.js";

/** Where a message goes: an incoming webhook (its channel is chosen in Slack), or any channel that the bot is in. */
export type SlackTarget = { readonly webhookUrl: string } | { readonly channelId: string };

export type SlackAddress =
  | { readonly kind: "webhook"; readonly url: string }
  | { readonly kind: "channel"; readonly channelId: string };

/**
 * Reads a stored target. The webhook's URL is a secret, so no error repeats it.
 *
 * @throws SlackDestinationError `invalid_target`
 */
export function parseTarget(target: unknown, webhookBaseUrls: readonly string[]): SlackAddress {
  const { webhookUrl, channelId } = (typeof target === "object" && target !== null ? target : {}) as {
    webhookUrl?: unknown;
    channelId?: unknown;
  };
  if (typeof webhookUrl === "string") {
    if (!URL.canParse(webhookUrl)) throw notAWebhook(webhookBaseUrls);
    const { origin, pathname, search, username } = new URL(webhookUrl);
    const known = webhookBaseUrls.some((base) => new URL(base).origin === origin);
    const isWebhook = /^\/services\/[A-Za-z0-9]+\/[A-Za-z0-9]+\/[A-Za-z0-9]+$/.test(pathname);
    if (!known || !isWebhook || search !== "" || username !== "") throw notAWebhook(webhookBaseUrls);
    return { kind: "webhook", url: `${origin}${pathname}` };
  }
  if (typeof channelId === "string" && /^[CGD][A-Z0-9]{2,30}$/.test(channelId)) return { kind: "channel", channelId };
  throw new SlackDestinationError(
    "invalid_target",
    "The target is { webhookUrl } or { channelId }, an id such as C0123456789.",
  );
}

function notAWebhook([base]: readonly string[]): SlackDestinationError {
  return new SlackDestinationError("invalid_target", `The target's webhookUrl is ${base}/services/ and three parts.`);
}
