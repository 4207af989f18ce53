import type { Migration } from "@hookline/postgres";

/** What people have let a connector do on their behalf: tokens, encrypted. */
export const accountTokens: Migration = {
  id: "0016_account_tokens",
  async up(tx, schema) {
    await tx.query(`
      create table "${schema}".account_tokens (
        tenant_id text not null,
        connector_id text not null,
        account_id text not null,
        payload text not null,
        version integer not null,
        granted_at timestamptz not null,
        claimed_until timestamptz,
        primary key (tenant_id, connector_id, account_id)
      )`);
  },
};
