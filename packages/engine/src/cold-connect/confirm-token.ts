import { createHash, randomBytes } from "node:crypto";
import { newId, type Transaction } from "@hookline/core";
import type { Binding, ResolvedOptions } from "./options.js";

/** 256 bits in base64url. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** What a token stands for, and whether it still works. */
export type FoundToken =
  | { readonly state: "unknown" }
  | { readonly state: "valid" | "used" | "expired"; readonly id: string; readonly binding: Binding };

interface TokenRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly platform_user_id: string;
  readonly platform_user_name: string;
  readonly email: string;
  readonly expires_at: Date;
  readonly used_at: Date | null;
}

const COLUMNS = "id, tenant_id, platform_user_id, platform_user_name, email, expires_at, used_at";

/** Makes a token for one binding. Only its hash is stored. */
export async function mintToken(options: ResolvedOptions, binding: Binding): Promise<string> {
  const { database, schema, clock } = options.store;
  const token = randomBytes(32).toString("base64url");
  const nowMs = clock.now();
  await database.query(
    `insert into "${schema}".confirm_tokens
       (id, token_hash, connector_id, tenant_id, platform_user_id, platform_user_name, email, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      newId("cft", nowMs),
      hashOf(token),
      options.connectorId,
      binding.tenantId,
      binding.platformUserId,
      binding.platformUserName,
      binding.email,
      new Date(nowMs),
      new Date(nowMs + options.ttlSeconds * 1000),
    ],
  );
  return token;
}

/** Looks a token up and changes nothing. A token of another connector is unknown. */
export async function findToken(
  { store, connectorId }: ResolvedOptions,
  token: string,
  tx: Pick<Transaction, "query"> = store.database,
): Promise<FoundToken> {
  if (!TOKEN.test(token)) return { state: "unknown" };
  const [row] = await tx.query<TokenRow>(
    `select ${COLUMNS} from "${store.schema}".confirm_tokens where token_hash = $1 and connector_id = $2`,
    [hashOf(token), connectorId],
  );
  if (!row) return { state: "unknown" };
  const state = row.used_at ? "used" : row.expires_at.getTime() <= store.clock.now() ? "expired" : "valid";
  return { state, id: row.id, binding: toBinding(row) };
}

/** Uses a token up, for the one caller that is first; null for everybody else. */
export async function claimToken(
  { store: { schema, clock }, connectorId }: ResolvedOptions,
  token: string,
  tx: Transaction,
): Promise<{ readonly id: string; readonly binding: Binding } | null> {
  if (!TOKEN.test(token)) return null;
  const [row] = await tx.query<TokenRow>(
    `update "${schema}".confirm_tokens
     set used_at = $3
     where token_hash = $1 and connector_id = $2 and used_at is null and expires_at > $3
     returning ${COLUMNS}`,
    [hashOf(token), connectorId, new Date(clock.now())],
  );
  return row ? { id: row.id, binding: toBinding(row) } : null;
}

function hashOf(token: string): Uint8Array {
  return createHash("sha256").update(token).digest();
}

function toBinding(row: TokenRow): Binding {
  return {
    tenantId: row.tenant_id,
    platformUserId: row.platform_user_id,
    platformUserName: row.platform_user_name,
    email: row.email,
  };
}
