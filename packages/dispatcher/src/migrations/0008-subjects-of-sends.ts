import type { Migration } from "@hookline/postgres";

/** Whom a direct send is about; null for those about nobody, and for those that were expunged. */
export const subjectsOfSends: Migration = {
  id: "0008_subjects_of_sends",
  async up(tx, schema) {
    await tx.query(`alter table "${schema}".messages add column subject_ids text[]`);
  },
};

export const subjectsOfSendsIndexes: Migration = {
  id: "0008_subjects_of_sends_indexes",
  indexes: [
    {
      name: "messages_of_subject",
      table: "messages",
      definition: "using gin (subject_ids) where subject_ids is not null",
    },
  ],
};
