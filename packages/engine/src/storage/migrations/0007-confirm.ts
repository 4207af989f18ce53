import type { Migration } from "@hookline/postgres";

/** Confirm links that their receiver refused, and requests that are told apart by a key. */
export const confirm: Migration = {
  id: "0007_confirm",
  async up(tx, schema) {
    await tx.query(`alter table "${schema}".confirm_tokens add column voided_at timestamptz`);
    await tx.query(`alter table "${schema}".confirm_tokens add column request_key bytea`);
    await tx.query(`
      create unique index confirm_tokens_by_request on "${schema}".confirm_tokens (connector_id, tenant_id, request_key)
      where request_key is not null`);
    await tx.query(`
      create table "${schema}".confirm_blocks (
        pair_hash bytea primary key,
        expires_at timestamptz not null
      )`);
    await tx.query(`create index confirm_blocks_by_expiry on "${schema}".confirm_blocks (expires_at)`);
  },
};
