import { type Mail, type Mailer, newId } from "@hookline/core";
import { DEFAULTS } from "../defaults.js";
import { openStore, type StoreOptions } from "../storage/store.js";

/** A mail that lies in the local outbox. */
export interface LocalMail extends Mail {
  readonly id: string;
  readonly sentAt: string;
}

export interface LocalMailer extends Mailer {
  /** Newest first, 50 of them unless told; at most 200 are kept. */
  list(query?: LocalMailQuery): Promise<readonly LocalMail[]>;
}

export interface LocalMailQuery {
  /** Absent: of every tenant, and those that say none. */
  readonly tenantId?: string;
  readonly to?: string;
  readonly limit?: number;
}

/**
 * A mailer that sends nothing: mails lie in a table, where a developer reads them. Not for production, since the links
 * in them can be read there too. An erasure takes out its tenant's mails to the person's address, and those that name
 * no tenant. The table comes with the engine's migrations.
 */
export function createLocalMailer(options: StoreOptions): LocalMailer {
  const { database, schema, clock } = openStore(options);
  const table = `"${schema}".local_mails`;
  return {
    async send({ to, subject, text, html, tenantId }) {
      const sentMs = clock.now();
      await database.query(
        `insert into ${table} (id, tenant_id, recipient, subject, text_part, html_part, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)`,
        [newId("mail", sentMs), tenantId ?? null, to, subject, text, html ?? null, new Date(sentMs)],
      );
      await database.query(
        `delete from ${table} where id in (select id from ${table} order by created_at desc, id desc offset $1)`,
        [DEFAULTS.maxKeptMails],
      );
    },

    async list({ tenantId, to, limit = DEFAULTS.pageLimit } = {}) {
      const rows = await database.query<MailRow>(
        `select id, tenant_id, recipient, subject, text_part, html_part, created_at
         from ${table}
         where ($1::text is null or recipient = $1) and ($3::text is null or tenant_id = $3)
         order by created_at desc, id desc
         limit $2`,
        [to ?? null, limit, tenantId ?? null],
      );
      return rows.map(toLocalMail);
    },
  };
}

interface MailRow {
  readonly id: string;
  readonly tenant_id: string | null;
  readonly recipient: string;
  readonly subject: string;
  readonly text_part: string;
  readonly html_part: string | null;
  readonly created_at: Date;
}

function toLocalMail(row: MailRow): LocalMail {
  return {
    id: row.id,
    to: row.recipient,
    subject: row.subject,
    text: row.text_part,
    ...(row.html_part === null ? {} : { html: row.html_part }),
    ...(row.tenant_id === null ? {} : { tenantId: row.tenant_id }),
    sentAt: row.created_at.toISOString(),
  };
}
