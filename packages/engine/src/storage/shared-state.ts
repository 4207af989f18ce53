import { createHash } from "node:crypto";
import type { SharedState, SqlQuery, Transaction } from "@hookline/core";
import type { Store } from "./store.js";
import { createSweeper } from "./sweep.js";

/**
 * Values of one connector in the database. Keys are stored as hashes.
 *
 * Readers in a transaction and writers after them meet at advisory locks, which queue: locks of the row itself would let
 * ever new readers pass a waiting writer, and would hold up those that only prolong.
 */
export function createSharedState(store: Store, connectorId: string): SharedState {
  const { database, schema, clock } = store;
  const sweeper = createSweeper(store);
  const hashOf = (key: string) =>
    createHash("sha256")
      .update(JSON.stringify([connectorId, key]))
      .digest();

  const lockName = (hash: string) => `${schema}/state/${hash}`;

  /** In one order, so that readers of several values can't wait for each other. */
  async function lockTogether(tx: Transaction, hashes: readonly string[]): Promise<void> {
    await tx.query(
      `select pg_advisory_xact_lock_shared(locks.number)
       from (
         select distinct hashtextextended(name, 0) as number
         from json_array_elements_text($1::text::json) as names (name)
         order by number
       ) as locks`,
      [JSON.stringify(hashes.map(lockName))],
    );
  }

  async function lockAlone(tx: Transaction, hash: string): Promise<void> {
    await tx.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [lockName(hash)]);
  }

  return {
    async get(keys, { transaction } = {}) {
      const byHash = new Map(keys.map((key) => [hashOf(key).toString("hex"), key]));
      if (byHash.size === 0) return new Map();
      if (transaction) await lockTogether(transaction, [...byHash.keys()]);
      const rows = await (transaction ?? database).query<{ key_hash: Uint8Array; value: string; version: string }>(
        `select key_hash, value, version from "${schema}".shared_state
         where key_hash = any($1::bytea[]) and expires_at > $2`,
        [[...byHash.keys()].map((hash) => Buffer.from(hash, "hex")), new Date(clock.now())],
      );
      return new Map(
        rows.map(({ key_hash, value, version }) => [
          byHash.get(Buffer.from(key_hash).toString("hex")) ?? "",
          { value, version: Number(version) },
        ]),
      );
    },

    async put(key, { value, ttlSeconds, ifVersion, afterReaders = false }) {
      await sweeper.sweepIfDue();
      const hash = hashOf(key);
      const now = new Date(clock.now());
      const write = (query: SqlQuery) =>
        query<{ version: string }>(
          `insert into "${schema}".shared_state as kept (key_hash, value, version, expires_at)
           select $1::bytea, $2::text, 1, $3::timestamptz
           where coalesce($5::bigint, 0) = 0
              or exists (select 1 from "${schema}".shared_state where key_hash = $1)
           on conflict (key_hash) do update
             set value = excluded.value, version = kept.version + 1, expires_at = excluded.expires_at
             where $5::bigint is null
                or $5::bigint = case when kept.expires_at > $4::timestamptz then kept.version else 0 end
           returning version`,
          [hash, value, new Date(now.getTime() + ttlSeconds * 1000), now, ifVersion ?? null],
        );
      const rows = afterReaders
        ? await database.transaction(async (tx) => {
            await lockAlone(tx, hash.toString("hex"));
            return write(tx.query);
          })
        : await write(database.query);
      return rows[0] === undefined ? null : Number(rows[0].version);
    },
  };
}
