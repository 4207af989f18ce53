import type { Migration } from "@hookline/postgres";

/** Erasures, so that a crash breaks none of them off for good; and the search by the beginning of an identity. */
export const erasures: Migration = {
  id: "0008_erasures",
  async up(tx, schema) {
    await tx.query(`
      create table "${schema}".erasures (
        id text primary key,
        tenant_id text not null,
        contact_id text not null,
        subject_ids text[] not null,
        expunged integer not null default 0,
        cursor text,
        requested_at timestamptz not null,
        finished_at timestamptz
      )`);
    await tx.query(`create index erasures_of_subject on "${schema}".erasures using gin (subject_ids)`);
    await tx.query(`create index erasures_open on "${schema}".erasures (id) where finished_at is null`);
    await tx.query(`
      create index contact_identities_by_beginning
      on "${schema}".contact_identities (tenant_id, lower(value) text_pattern_ops)`);
  },
};
