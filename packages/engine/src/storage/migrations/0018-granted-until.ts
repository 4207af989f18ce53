import type { TransactionMigration } from "@hookline/postgres";

/**
 * Until when a key was made to work, which a rotation hands on; `expires_at` is also where its overlap ends. Of a key
 * that was rotated before, only that end is known.
 */
export const grantedUntil: TransactionMigration = {
  id: "0018_granted_until",
  async up(tx, schema) {
    await tx.query(`alter table "${schema}".api_keys add column granted_until timestamptz`);
    await tx.query(`
      update "${schema}".api_keys k set granted_until = expires_at
      where expires_at is not null and not exists (
        select from "${schema}".audit_log a
        where a.tenant_id = k.tenant_id and a.target = k.id and a.action = 'api_key.rotated'
      )`);
  },
};
