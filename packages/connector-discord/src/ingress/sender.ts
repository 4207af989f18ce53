import type { GatewayUser } from "./gateway-payloads.js";
import type { TransformContext } from "./transformed.js";

export type Sender =
  /** `sender` is absent for people. */
  | { readonly kind: "sender"; readonly data: { readonly sender?: "bot" | "webhook" | "system" } }
  | { readonly kind: "ignored"; readonly reason: string };

/** What people write is a message of its own or a reply; all other types are the system's words. */
const PEOPLES_TYPES: ReadonlySet<number> = new Set([0, 19]);
/** What a bot answers to a slash command, or to one of a context menu; Discord gives it a webhook's id. */
const ANSWER_TYPES: ReadonlySet<number> = new Set([20, 23]);

interface SentMessage {
  readonly type: number;
  readonly webhook_id?: string | null | undefined;
  /** Whose the webhook is; absent for one that a person has made. */
  readonly application_id?: string | null | undefined;
}

/**
 * Who a message is from, if it is not noise. Our own application's messages are, whatever is kept, also those through
 * its webhooks. Of a webhook that a person has made nothing says who posts through it.
 */
export async function senderOf(
  message: SentMessage,
  author: GatewayUser,
  { keep, knownBots }: Pick<TransformContext, "keep" | "knownBots">,
): Promise<Sender> {
  const isWebhook = message.webhook_id != null;
  if (author.bot === true || isWebhook) await knownBots.add(author.id);
  const isOwn = knownBots.isOwn(author.id) || (isWebhook && knownBots.isOwn(message.application_id ?? ""));
  const isKept = isWebhook ? keep.webhooks && !isOwn : !knownBots.has(author.id);
  if (!isKept) return { kind: "ignored", reason: "bot" };
  if (author.system === true || !isSaidBySomebody(message.type, isWebhook)) {
    return keep.systemMessages ? { kind: "sender", data: { sender: "system" } } : { kind: "ignored", reason: "system" };
  }
  if (isWebhook) return { kind: "sender", data: { sender: "webhook" } };
  return { kind: "sender", data: author.bot === true ? { sender: "bot" } : {} };
}

function isSaidBySomebody(type: number, isWebhook: boolean): boolean {
  return PEOPLES_TYPES.has(type) || (isWebhook && ANSWER_TYPES.has(type));
}
