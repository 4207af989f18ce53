import type { Logger } from "@hookline/core";
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

/** `invalid_email`: this can't be an address; it is the only judge of that. */
export type ConfirmResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: "rate_limited" | "unavailable" | "invalid_email" };

/**
 * Mints a confirm token and mails its link. A throw counts as `unavailable`, one with the code `invalid_email` as
 * that.
 */
export type RequestConfirm = (request: ConfirmRequest) => Promise<ConfirmResult>;

const MAX_EMAIL_CHARACTERS = 254;

const SENTENCES = {
  sent: "Check your inbox: we have sent a link that confirms the connection.",
  invalid_email: "This is not a valid email address. Use /link to try again.",
  rate_limited: "That was asked for too often. Please try again later.",
  unavailable: "The mail can't be sent at the moment. Please try again later.",
} as const;

/** As {@link RequestConfirm}, and never throws. */
export type RequestLink = (request: ConfirmRequest) => Promise<ConfirmResult>;

/** Refuses what can't be an address, and logs a failure without it. */
export function createRequestLink(options: {
  readonly requestConfirm: RequestConfirm;
  readonly logger: Logger;
}): RequestLink {
  return async (confirm) => {
    // Only what is plain to see: a second rule beside that of requestConfirm would refuse what the other one takes.
    if (!confirm.email.includes("@") || confirm.email.length > MAX_EMAIL_CHARACTERS) {
      return { ok: false, reason: "invalid_email" };
    }
    try {
      return await options.requestConfirm(confirm);
    } catch (error) {
      if (isInvalidEmail(error)) return { ok: false, reason: "invalid_email" };
      // Not tried again: a mail may have gone out before the throw.
      const { interactionId, email } = confirm;
      options.logger.error({ interactionId, err: withoutText(error, email) }, "a confirm mail was not sent");
      return { ok: false, reason: "unavailable" };
    }
  };
}

/** `/link`: asks for an email address and has a confirm link mailed to it. No answer repeats the address. */
export function createLink({ requestLink }: { readonly requestLink: RequestLink }) {
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
      const result = await requestLink({
        discordUserId: user.id,
        discordUserName: user.username,
        guildId,
        tenantId,
        email: fields.email.trim(),
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

function isInvalidEmail(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "invalid_email";
}

/** A mailer's error likes to quote the address. */
function withoutText(error: unknown, text: string) {
  const { name, message, code } = error instanceof Error ? (error as Error & { code?: unknown }) : {};
  return { name: name ?? typeof error, code, message: message?.replaceAll(text, "[address]") };
}
