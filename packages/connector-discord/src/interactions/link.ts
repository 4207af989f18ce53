import type { Logger } from "@hookline/core";
import { z } from "zod";
import { reply, showModal } from "./answers.js";
import { defineCommand } from "./define-command.js";
import { defineModal } from "./define-modal.js";

/** Who asks to be linked to which address. */
export interface ConfirmRequest {
  readonly discordUserId: string;
  /** The name that the confirm page shows, so that a reader knows which account asks. */
  readonly discordUserName: string;
  readonly guildId: string | null;
  readonly tenantId: string;
  readonly email: string;
  /** The same when the request is made again after a crash: mail once for each. */
  readonly interactionId: string;
}

export type ConfirmResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: "rate_limited" | "unavailable" };

/** Mints a confirm token and mails its link; a throw counts as `unavailable`. */
export type RequestConfirm = (request: ConfirmRequest) => Promise<ConfirmResult>;

const MAX_EMAIL_CHARACTERS = 254;
const emailSchema = z.email().max(MAX_EMAIL_CHARACTERS);

const SENTENCES = {
  sent: "Check your inbox: we have sent a link that confirms the connection.",
  invalid: "This is not a valid email address. Use /link to try again.",
  rate_limited: "That was asked for too often. Please try again later.",
  unavailable: "The mail can't be sent at the moment. Please try again later.",
} as const;

/** `/link`: asks for an email address and has a confirm link mailed to it. No answer repeats the address. */
export function createLink(options: { readonly requestConfirm: RequestConfirm; readonly logger: Logger }) {
  async function request(confirm: ConfirmRequest): Promise<ConfirmResult> {
    try {
      return await options.requestConfirm(confirm);
    } catch (error) {
      // Not tried again: a mail may have gone out before the throw.
      const { interactionId, email } = confirm;
      options.logger.error({ interactionId, err: withoutText(error, email) }, "a confirm mail was not sent");
      return { ok: false, reason: "unavailable" };
    }
  }

  const modal = defineModal({
    name: "link",
    title: "Connect your account",
    fields: {
      email: {
        kind: "text",
        label: "Your email address",
        placeholder: "you@example.com",
        maxLength: MAX_EMAIL_CHARACTERS,
      },
    },
    answer: "deferred",
    async run({ id, user, guildId, tenantId, fields }) {
      const email = emailSchema.safeParse(fields.email.trim());
      if (!email.success) return reply(SENTENCES.invalid);
      const result = await request({
        discordUserId: user.id,
        discordUserName: user.username,
        guildId,
        tenantId,
        email: email.data,
        interactionId: id,
      });
      return reply(result.ok ? SENTENCES.sent : SENTENCES[result.reason]);
    },
  });

  const command = defineCommand({
    name: "link",
    description: "Connect your Discord account to your email address",
    answer: "immediate",
    run: () => showModal(modal),
  });

  return { command, modal };
}

/** A mailer's error likes to quote the address. */
function withoutText(error: unknown, text: string) {
  const { name, message, code } = error instanceof Error ? (error as Error & { code?: unknown }) : {};
  return { name: name ?? typeof error, code, message: message?.replaceAll(text, "[address]") };
}
