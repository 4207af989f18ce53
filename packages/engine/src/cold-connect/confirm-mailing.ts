import { type Destination, defineDestination, identitySubject, type Transaction } from "@hookline/core";
import { isEngineError } from "../errors.js";
import { createConfirmMail } from "../mail/confirm-mail.js";
import type { Minted } from "./confirm-token.js";
import type { Binding, ResolvedOptions } from "./options.js";

/** Stored encrypted: it holds the address, and the link with its token. */
interface MailTarget {
  readonly to: string;
  readonly url: string;
  readonly platformUserName: string;
}

/** Hands the mail over in the transaction that made the token. */
export async function sendConfirmMail(
  tx: Transaction,
  { outbox, connectorId, identityKind, platformKey }: ResolvedOptions,
  { binding, minted, url }: { readonly binding: Binding; readonly minted: Minted; readonly url: string },
): Promise<void> {
  const target: MailTarget = { to: binding.email, url, platformUserName: binding.platformUserName };
  await outbox.send(
    {
      tenantId: binding.tenantId,
      destination: confirmMailId(connectorId),
      target,
      data: {},
      // A mail whose link has run out is of no use.
      deadline: minted.expiresAt,
      idempotencyKey: `${connectorId}.confirm:${minted.id}`,
      subjectIds: [
        identitySubject({ kind: "email", value: binding.email }),
        identitySubject({ kind: identityKind, value: platformKey(binding.platformUserId) }),
      ],
    },
    { transaction: tx },
  );
}

/** Mails links until the mail server took them, refused them for good, or they ran out. */
export function createConfirmMailDestination(options: ResolvedOptions): Destination {
  const { mail, branding, connectorId, ttlSeconds, store } = options;
  return defineDestination<MailTarget>({
    id: confirmMailId(connectorId),
    plan: (_event, { endpoint }) => ({
      kind: "run",
      async run() {
        if (!mail) return { outcome: "dead", reason: "no mailer is configured" };
        const { productName, platformName } = branding;
        const ttlMinutes = Math.max(1, Math.round(ttlSeconds / 60));
        try {
          const confirmMail = await createConfirmMail({ ...endpoint.target, productName, platformName, ttlMinutes });
          await mail.mailer.send({ ...confirmMail, tenantId: endpoint.tenantId });
          return { outcome: "delivered" };
        } catch (error) {
          // A mailer's own words may repeat the address, or the mail.
          const reason = isEngineError(error) ? error.code : "the mailer failed";
          store.logger.warn({ connectorId, reason }, "a confirm mail was not sent");
          return { outcome: reason === "mail_refused" ? "dead" : "retry", reason };
        }
      },
    }),
  }) as Destination;
}

function confirmMailId(connectorId: string): string {
  return `${connectorId}-confirm-mail`;
}
