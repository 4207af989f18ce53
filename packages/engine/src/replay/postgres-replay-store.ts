import { createHash } from "node:crypto";
import type { ReplayStore } from "@hookline/webhook-signing";
import { createAcceptOnce } from "../access/accept-once.js";
import { openStore, type StoreOptions } from "../storage/store.js";

/**
 * Remembers for `createReplayGuard` of `@hookline/webhook-signing` in the engine's own table, for all processes on the
 * database. Keys are stored as hashes. A store that fails makes the guard reject: answer 500, never let pass.
 *
 * @throws EngineError `invalid_options`
 * @example
 * const guard = createReplayGuard(createPostgresReplayStore({ database }), { scope: "github" });
 */
export function createPostgresReplayStore(options: StoreOptions): ReplayStore {
  const store = openStore(options);
  return {
    add: createAcceptOnce(store, null),
    delete: (key: string) =>
      store.database.query(`delete from "${store.schema}".accepted_keys where key_hash = $1`, [
        createHash("sha256").update(key).digest(),
      ]),
  };
}
