import { createHash } from "node:crypto";
import type { Transaction } from "@hookline/core";
import type { Binding, ResolvedOptions } from "./options.js";
import { mailboxOf } from "./throttle.js";

/** Keeps an account from asking for an address whose owner has said no. Only a hash of the pair is stored. */
export async function blockPair(options: ResolvedOptions, binding: Binding, tx: Transaction): Promise<void> {
  const { store, blockSeconds } = options;
  await tx.query(
    `insert into "${store.schema}".confirm_blocks as known (pair_hash, expires_at) values ($1, $2)
     on conflict (pair_hash) do update set expires_at = greatest(known.expires_at, excluded.expires_at)`,
    [hashOfPair(options, binding), new Date(store.clock.now() + blockSeconds * 1000)],
  );
}

export async function isBlocked(options: ResolvedOptions, binding: Binding): Promise<boolean> {
  const { database, schema, clock } = options.store;
  const rows = await database.query(
    `select 1 as found from "${schema}".confirm_blocks where pair_hash = $1 and expires_at > $2`,
    [hashOfPair(options, binding), new Date(clock.now())],
  );
  return rows.length > 0;
}

function hashOfPair({ connectorId }: ResolvedOptions, { tenantId, platformUserId, email }: Binding): Uint8Array {
  const pair = JSON.stringify([tenantId, connectorId, platformUserId, mailboxOf(email)]);
  return createHash("sha256").update(pair).digest();
}
