import type { Migration } from "@hookline/postgres";

/** Sources that tenants make. */
export const sources: Migration = {
  id: "0014_sources",
  async up(tx, schema) {
    await tx.query(`
      create table "${schema}".sources (
        id text primary key,
        tenant_id text not null,
        endpoint text not null,
        active boolean not null,
        definition text not null,
        secrets text not null,
        rotated_at timestamptz,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        unique (tenant_id, endpoint)
      )`);
    await tx.query(`create index sources_by_tenant on "${schema}".sources (tenant_id, id)`);
  },
};
