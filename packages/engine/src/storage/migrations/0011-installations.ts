import type { Migration } from "@hookline/postgres";

/** Where a connector is installed, such as Discord's servers, and whose each is. */
export const installations: Migration = {
  id: "0011_installations",
  async up(tx, schema) {
    await tx.query(`
      create table "${schema}".installations (
        connector_id text not null,
        installation_id text not null,
        tenant_id text not null,
        name text,
        settings text not null default '{}',
        installed_at timestamptz not null,
        primary key (connector_id, installation_id)
      )`);
    await tx.query(`
      create index installations_by_tenant on "${schema}".installations (tenant_id, connector_id, installation_id)`);
  },
};
