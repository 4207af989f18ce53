import type { Migration } from "@hookline/postgres";

/** In whose name a mail in the local outbox was sent; null for those from before. */
export const mailTenants: Migration = {
  id: "0022_mail_tenants",
  async up(tx, schema) {
    await tx.query(`alter table "${schema}".local_mails add column tenant_id text`);
  },
};
