import type { SchemaIssue, SchemaResult } from "@hookline/core";
import { isDiscordConnectorError } from "../errors.js";
import type { DiscordMessageTemplates, MessageTemplates } from "../message/message-template.js";
import { parseWebhookUrl } from "./webhook-url.js";

/** Where a message goes: a channel or thread, by the bot, or an incoming webhook, which needs no bot token. */
export type DiscordTarget = ({ readonly channelId: string } | { readonly webhookUrl: string }) & {
  /** How messages look there: what they say comes in the place of what the destination's own templates say. */
  readonly templates?: DiscordMessageTemplates;
};

export const CHANNEL_ID = /^\d{1,20}$/;

export interface TargetRules {
  readonly restBaseUrl: string;
  readonly hasBot: boolean;
  readonly messageTemplates: MessageTemplates;
}

/** Reads what a caller gives for an endpoint. The webhook's URL is a secret, so no message repeats it. */
export function parseDiscordTarget(target: unknown, rules: TargetRules): SchemaResult<DiscordTarget> {
  if (typeof target !== "object" || target === null) return neither;
  const { channelId, webhookUrl, templates, ...others } = target as Readonly<Record<string, unknown>>;
  const issues: SchemaIssue[] = Object.keys(others).map((name) => ({ path: [name], message: "is not known" }));
  if (templates !== undefined) {
    for (const { path, message } of rules.messageTemplates.issues(templates)) {
      issues.push({ path: ["templates", ...path], message });
    }
  }
  if (channelId === undefined && webhookUrl === undefined) return { issues: [...neither.issues, ...issues] };
  issues.push(...addressIssues({ channelId, webhookUrl }, rules));
  if (issues.length > 0) return { issues };
  const address = webhookUrl === undefined ? { channelId } : { webhookUrl };
  return { value: { ...address, ...(templates === undefined ? {} : { templates }) } as DiscordTarget };
}

const neither = { issues: [{ message: "is { channelId } or { webhookUrl }" }] } as const;

function* addressIssues(
  { channelId, webhookUrl }: { readonly channelId: unknown; readonly webhookUrl: unknown },
  { restBaseUrl, hasBot }: TargetRules,
): Generator<SchemaIssue> {
  if (webhookUrl !== undefined) {
    if (channelId !== undefined) yield { path: ["channelId"], message: "cannot be given beside webhookUrl" };
    if (typeof webhookUrl !== "string" || !isWebhookUrl(webhookUrl, restBaseUrl)) {
      const message = "is not the address of a Discord webhook (https://discord.com/api/webhooks/{id}/{token})";
      yield { path: ["webhookUrl"], message };
    }
  } else if (typeof channelId !== "string" || !CHANNEL_ID.test(channelId)) {
    yield { path: ["channelId"], message: "is an id of Discord's" };
  } else if (!hasBot) {
    yield { path: ["channelId"], message: "needs a botToken, and there is none" };
  }
}

function isWebhookUrl(text: string, restBaseUrl: string): boolean {
  try {
    parseWebhookUrl(text, restBaseUrl);
    return true;
  } catch (error) {
    if (isDiscordConnectorError(error)) return false;
    throw error;
  }
}
