import type { SchemaIssue, SchemaResult } from "@hookline/core";
import { SlackDestinationError } from "./errors.js";

/** Where a message goes: an incoming webhook (its channel is chosen in Slack), or any channel that the bot is in. */
export type SlackTarget = { readonly webhookUrl: string } | { readonly channelId: string };

export type SlackAddress =
  | { readonly kind: "webhook"; readonly url: string }
  | { readonly kind: "channel"; readonly channelId: string };

/** Reads a target. The webhook's URL is a secret, so no message repeats it. */
export function readTarget(target: unknown, webhookBaseUrls: readonly string[]): SchemaResult<SlackAddress> {
  const { webhookUrl, channelId } = (typeof target === "object" && target !== null ? target : {}) as {
    webhookUrl?: unknown;
    channelId?: unknown;
  };
  if (webhookUrl !== undefined) {
    const url = typeof webhookUrl === "string" ? webhookOf(webhookUrl, webhookBaseUrls) : null;
    if (url !== null) return { value: { kind: "webhook", url } };
    return refused("webhookUrl", `is ${webhookBaseUrls[0]}/services/ and three parts`);
  }
  if (channelId === undefined) return { issues: [{ message: "is { webhookUrl } or { channelId }" }] };
  if (typeof channelId === "string" && /^[CGD][A-Z0-9]{2,30}$/.test(channelId)) {
    return { value: { kind: "channel", channelId } };
  }
  return refused("channelId", "is an id such as C0123456789");
}

/** Reads what a caller gives: it also holds nothing else, and a channel needs a bot. */
export function parseTarget(
  target: unknown,
  { webhookBaseUrls, hasBot }: { readonly webhookBaseUrls: readonly string[]; readonly hasBot: boolean },
): SchemaResult<SlackTarget> {
  const read = readTarget(target, webhookBaseUrls);
  if (read.issues !== undefined) return read;
  const address = read.value;
  const own = address.kind === "webhook" ? "webhookUrl" : "channelId";
  const others = Object.keys(target as object).filter((name) => name !== own);
  const issues: SchemaIssue[] = others.map((name) => ({ path: [name], message: `is not known beside ${own}` }));
  if (address.kind === "channel" && !hasBot)
    issues.push({ path: ["channelId"], message: "needs a bot, and there is none" });
  if (issues.length > 0) return { issues };
  return { value: address.kind === "webhook" ? { webhookUrl: address.url } : { channelId: address.channelId } };
}

/** Where a stored target leads. */
export function addressOf(target: unknown, webhookBaseUrls: readonly string[]): SlackAddress {
  const read = readTarget(target, webhookBaseUrls);
  if (read.issues === undefined) return read.value;
  const told = read.issues.map(({ path = [], message }) => `The ${["target", ...path].join(".")} ${message}.`);
  throw new SlackDestinationError("invalid_target", told.join(" "));
}

function webhookOf(text: string, webhookBaseUrls: readonly string[]): string | null {
  if (!URL.canParse(text)) return null;
  const { origin, pathname, search, username, password } = new URL(text);
  const known = webhookBaseUrls.some((base) => new URL(base).origin === origin);
  const isWebhook = /^\/services\/[A-Za-z0-9]+\/[A-Za-z0-9]+\/[A-Za-z0-9]+$/.test(pathname);
  return known && isWebhook && search === "" && username === "" && password === "" ? `${origin}${pathname}` : null;
}

function refused(field: "webhookUrl" | "channelId", message: string): { readonly issues: readonly SchemaIssue[] } {
  return { issues: [{ path: [field], message }] };
}
