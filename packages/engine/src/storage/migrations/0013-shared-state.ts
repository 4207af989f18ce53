import type { Migration } from "@hookline/postgres";

/** What a connector's processes have to know of one another: leases, accounts that are bots. */
export const sharedState: Migration = {
  id: "0013_shared_state",
  async up(tx, schema) {
    await tx.query(`
      create table "${schema}".shared_state (
        key_hash bytea primary key,
        value text not null,
        version bigint not null,
        expires_at timestamptz not null
      ) with (fillfactor = 70)`);
    await tx.query(`create index shared_state_by_expiry on "${schema}".shared_state (expires_at)`);
  },
};
