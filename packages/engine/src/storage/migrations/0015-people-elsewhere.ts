import type { Migration } from "@hookline/postgres";

/**
 * `identity_subjects`: by what an erasure finds direct sends about an identity; null once it has ended. `secret_ages`:
 * since when a secret of the configuration is the one it is, told by an encrypted digest.
 */
export const peopleElsewhere: Migration = {
  id: "0015_people_elsewhere",
  async up(tx, schema) {
    await tx.query(`alter table "${schema}".erasures add column identity_subjects text[]`);
    await tx.query(`
      create table "${schema}".secret_ages (
        tenant_id text not null,
        kind text not null,
        id text not null,
        digest text not null,
        since timestamptz not null,
        primary key (tenant_id, kind, id)
      )`);
  },
};
