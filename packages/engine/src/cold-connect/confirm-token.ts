import { createHash, randomBytes } from "node:crypto";
import { newId, type Transaction } from "@hookline/core";
import type { Binding, ResolvedOptions } from "./options.js";

/** 256 bits in base64url. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** What a token stands for, and whether it still works. */
export type FoundToken =
  | { readonly state: "unknown" }
  | { readonly state: "valid" | "used" | "expired" | "voided"; readonly id: string; readonly binding: Binding };

interface TokenRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly platform_user_id: string;
  readonly platform_user_name: string;
  readonly email: string;
  readonly expires_at: Date;
  readonly used_at: Date | null;
  readonly voided_at: Date | null;
}

const COLUMNS = "id, tenant_id, platform_user_id, platform_user_name, email, expires_at, used_at, voided_at";

export interface Minting {
  readonly binding: Binding;
  /** The same key makes no second token. */
  readonly requestKey?: string | undefined;
}

export interface Minted {
  readonly id: string;
  readonly token: string;
  readonly expiresAt: Date;
}

/** Makes a token for one binding. Only its hash is stored. Null when its request has one already. */
export async function mintToken(
  options: ResolvedOptions,
  { binding, requestKey }: Minting,
  tx: Pick<Transaction, "query"> = options.store.database,
): Promise<Minted | null> {
  const { schema, clock } = options.store;
  const token = randomBytes(32).toString("base64url");
  const nowMs = clock.now();
  const [id, expiresAt] = [newId("cft", nowMs), new Date(nowMs + options.ttlSeconds * 1000)];
  const stored = await tx.query(
    `insert into "${schema}".confirm_tokens
       (id, token_hash, connector_id, tenant_id, platform_user_id, platform_user_name, email, created_at, expires_at,
        request_key)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     on conflict (connector_id, tenant_id, request_key) where request_key is not null do nothing
     returning id`,
    [
      id,
      hashOf(token),
      options.connectorId,
      binding.tenantId,
      binding.platformUserId,
      binding.platformUserName,
      binding.email,
      new Date(nowMs),
      expiresAt,
      requestKey === undefined ? null : hashOf(requestKey),
    ],
  );
  return stored.length > 0 ? { id, token, expiresAt } : null;
}

/** Whether a request with this key has made a token. */
export async function isRequested(
  { store: { database, schema }, connectorId }: ResolvedOptions,
  { tenantId, requestKey }: { readonly tenantId: string; readonly requestKey: string },
): Promise<boolean> {
  const rows = await database.query(
    `select 1 as found from "${schema}".confirm_tokens
     where connector_id = $1 and tenant_id = $2 and request_key = $3`,
    [connectorId, tenantId, hashOf(requestKey)],
  );
  return rows.length > 0;
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
  const state = row.voided_at
    ? "voided"
    : row.used_at
      ? "used"
      : row.expires_at.getTime() <= store.clock.now()
        ? "expired"
        : "valid";
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
     where token_hash = $1 and connector_id = $2 and used_at is null and voided_at is null and expires_at > $3
     returning ${COLUMNS}`,
    [hashOf(token), connectorId, new Date(clock.now())],
  );
  return row ? { id: row.id, binding: toBinding(row) } : null;
}

/**
 * Voids an open token and every other one of the same account and address, as its receiver asked for. Null when it was not
 * open any more.
 */
export async function voidToken(
  { store: { schema, clock }, connectorId }: ResolvedOptions,
  token: string,
  tx: Transaction,
): Promise<Binding | null> {
  if (!TOKEN.test(token)) return null;
  const [row] = await tx.query<TokenRow>(
    `with refused as (
       select * from "${schema}".confirm_tokens
       where token_hash = $1 and connector_id = $2 and used_at is null and voided_at is null and expires_at > $3
     )
     update "${schema}".confirm_tokens as token
     set voided_at = $3
     from refused
     where token.connector_id = refused.connector_id and token.tenant_id = refused.tenant_id
       and token.platform_user_id = refused.platform_user_id and token.email = refused.email
       and token.used_at is null and token.voided_at is null
     returning ${COLUMNS.split(", ")
       .map((column) => `token.${column}`)
       .join(", ")}`,
    [hashOf(token), connectorId, new Date(clock.now())],
  );
  return row ? toBinding(row) : null;
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
