import { z } from "zod";
import { DiscordConnectorError } from "../errors.js";
import type { LimitedRequest } from "../rest/rest-route.js";
import { CHANNEL_ID } from "./discord-target.js";
import { parseWebhookUrl } from "./webhook-url.js";

/** Where the messages of one endpoint go. */
export type MessageAddress =
  | {
      readonly kind: "webhook";
      /** Down to the token, without a slash at the end. */
      readonly base: string;
      readonly threadId: string | null;
    }
  | { readonly kind: "channel"; readonly base: string; readonly channelId: string; readonly authorization: string };

const targetSchema = z.union([
  z.object({ channelId: z.string().regex(CHANNEL_ID) }),
  z.object({ webhookUrl: z.string() }),
]);

/** Throws `invalid_target` and `bot_token_missing`. */
export function addressOf(
  target: unknown,
  { restBaseUrl, botToken }: { readonly restBaseUrl: string; readonly botToken: string | undefined },
): MessageAddress {
  const parsed = targetSchema.safeParse(target);
  if (!parsed.success) {
    throw new DiscordConnectorError("invalid_target", "The target is { channelId } or { webhookUrl }.");
  }
  if ("webhookUrl" in parsed.data) {
    const { base, threadId } = parseWebhookUrl(parsed.data.webhookUrl, restBaseUrl);
    return { kind: "webhook", base, threadId };
  }
  if (botToken === undefined) {
    throw new DiscordConnectorError("bot_token_missing", "A target with channelId needs a botToken.");
  }
  const { channelId } = parsed.data;
  return { kind: "channel", base: restBaseUrl, channelId, authorization: `Bot ${botToken}` };
}

/** One request there, but for its body. */
export interface MessageRoute extends LimitedRequest {
  readonly method: "POST" | "PATCH";
  readonly url: string;
}

/** `messageId`: the message to edit; null to post one. */
export function routeTo(
  address: MessageAddress,
  messageId: string | null,
  { withComponents }: { readonly withComponents: boolean },
): MessageRoute {
  const method = messageId === null ? "POST" : "PATCH";
  if (address.kind === "channel") {
    const path = `/channels/${address.channelId}/messages${messageId === null ? "" : `/${messageId}`}`;
    return { method, path, url: address.base + path, authorization: address.authorization };
  }
  const query = new URLSearchParams();
  if (messageId === null) query.set("wait", "true");
  if (address.threadId !== null) query.set("thread_id", address.threadId);
  if (withComponents) query.set("with_components", "true");
  const url = messageId === null ? address.base : `${address.base}/messages/${messageId}`;
  const search = query.size === 0 ? "" : `?${query}`;
  return { method, path: url.slice(url.indexOf("/webhooks/")), url: url + search };
}
