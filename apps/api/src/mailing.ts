import type { Mailer } from "@hookline/core";
import { createLocalMailer, createSmtpMailer, type LocalMailer } from "@hookline/engine";
import type { Database } from "@hookline/postgres";
import type { Environment } from "./environment.js";

export interface Mailing {
  /** Null where no mail can be sent. */
  readonly mailer: Mailer | null;
  /** The mailer, where it keeps mails to be read by a developer. */
  readonly localMailer: LocalMailer | null;
  closeMailer(): void;
}

/** The mail server of the environment, else the local outbox where it is allowed. */
export function createMailing(options: { readonly environment: Environment; readonly database: Database }): Mailing {
  const { SMTP_URL: url, MAIL_FROM: from, SMTP_TLS: tls, LOCAL_MAIL_OUTBOX: keeps } = options.environment;
  if (url !== undefined && from !== undefined) {
    const mailer = createSmtpMailer({ url, from, tls });
    return { mailer, localMailer: null, closeMailer: mailer.close };
  }
  const localMailer = keeps ? createLocalMailer({ database: options.database }) : null;
  return { mailer: localMailer, localMailer, closeMailer: () => {} };
}
