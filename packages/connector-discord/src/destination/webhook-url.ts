import { DiscordConnectorError } from "../errors.js";

/** An incoming webhook's address in its parts. */
export interface WebhookAddress {
  /** Scheme, host and path down to the token, without a slash at the end. */
  readonly base: string;
  readonly threadId: string | null;
}

const HOSTS: ReadonlySet<string> = new Set([
  "discord.com",
  "canary.discord.com",
  "ptb.discord.com",
  "discordapp.com",
  "canary.discordapp.com",
  "ptb.discordapp.com",
]);

const PATH = /^\/api(?:\/v\d{1,2})?\/webhooks\/\d{1,20}\/[A-Za-z0-9_-]{1,200}$/;

/**
 * Reads the address of an incoming webhook: of Discord's stable, canary or ptb host, with or without a version, with
 * or without `thread_id`. `restBaseUrl` allows its own origin too. Throws `invalid_target`, without the address.
 */
export function parseWebhookUrl(text: string, restBaseUrl: string): WebhookAddress {
  const url = URL.canParse(text) ? new URL(text) : null;
  const own = new URL(restBaseUrl);
  const known = url !== null && ((url.protocol === "https:" && HOSTS.has(url.host)) || url.origin === own.origin);
  if (url === null || !known || !PATH.test(url.pathname) || url.username !== "" || url.password !== "") {
    throw new DiscordConnectorError(
      "invalid_target",
      "webhookUrl is not the address of a Discord webhook (https://discord.com/api/webhooks/{id}/{token}).",
    );
  }
  const threadId = url.searchParams.get("thread_id");
  if (threadId !== null && !/^\d{1,20}$/.test(threadId)) {
    throw new DiscordConnectorError("invalid_target", "The thread_id of webhookUrl is not an id of Discord's.");
  }
  return { base: `${url.origin}${url.pathname}`, threadId };
}
