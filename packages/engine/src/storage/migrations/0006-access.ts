import type { Migration } from "@hookline/postgres";

/** Keys that end by themselves, and who did what to keys, credentials and contacts. */
export const access: Migration = {
  id: "0006_access",
  async up(tx, schema) {
    await tx.query(`alter table "${schema}".api_keys add column expires_at timestamptz`);
    await tx.query(`
      create table "${schema}".audit_log (
        id text primary key,
        tenant_id text not null,
        actor text not null,
        action text not null,
        target text,
        details text not null,
        acted_at timestamptz not null
      )`);
    await tx.query(`create index audit_log_by_tenant on "${schema}".audit_log (tenant_id, id)`);
  },
};
