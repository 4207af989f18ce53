import type { Migration } from "@hookline/postgres";

/** Whose tokens have still to be given back to the platform, since their account is linked to nobody any more. */
export const releasedTokens: Migration = {
  id: "0017_released_tokens",
  async up(tx, schema) {
    await tx.query(`alter table "${schema}".account_tokens add column released_at timestamptz`);
    await tx.query(
      `create index account_tokens_released on "${schema}".account_tokens (tenant_id, connector_id, released_at)
       where released_at is not null`,
    );
  },
};
