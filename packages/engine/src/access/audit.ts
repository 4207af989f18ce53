import { newId, type Transaction } from "@hookline/core";
import { decodeCursor, encodeCursor, pageLimit } from "../contacts/cursor.js";
import type { Store } from "../storage/store.js";

/** Who did what to what, and when. */
export interface AuditEntry {
  readonly id: string;
  readonly tenantId: string;
  /** Such as `api_key:key_…`; `system` where nobody was named. */
  readonly actor: string;
  /** Such as `api_key.created`. */
  readonly action: string;
  /** The id of what it was done to. */
  readonly target: string | null;
  /** What else is worth knowing; never a secret, never personal data. */
  readonly details: Readonly<Record<string, unknown>>;
  /** ISO 8601. */
  readonly at: string;
}

export interface AuditAct {
  readonly tenantId: string;
  readonly action: string;
  readonly actor?: string;
  readonly target?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface AuditQuery {
  readonly tenantId: string;
  readonly action?: string;
  readonly target?: string;
  /** 1 to 200; 50 when absent. */
  readonly limit?: number;
  /** What the previous page answered. */
  readonly cursor?: string;
}

export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  readonly nextCursor: string | null;
}

/** The log of administrative acts. An act and its entry commit together. */
export interface Audit {
  /** Newest first. @throws EngineError `invalid_cursor` */
  list(query: AuditQuery): Promise<AuditPage>;
  /** Writes an act of the app's own, in the transaction that does it. */
  record(act: AuditAct, options: { readonly transaction: Transaction }): Promise<void>;
}

interface AuditRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly actor: string;
  readonly action: string;
  readonly target: string | null;
  readonly details: string;
  readonly acted_at: Date;
}

const NOBODY = "system";

export function createAudit(store: Store): Audit {
  const { database, schema } = store;
  return {
    record: (act, { transaction }) => writeAudit(store, transaction, [act]),
    async list({ tenantId, action, target, limit: wanted, cursor }) {
      const limit = pageLimit(wanted);
      const rows = await database.query<AuditRow>(
        `select id, tenant_id, actor, action, target, details, acted_at
         from "${schema}".audit_log
         where tenant_id = $1
           and ($2::text is null or id < $2)
           and ($3::text is null or action = $3)
           and ($4::text is null or target = $4)
         order by id desc
         limit $5`,
        [tenantId, cursor === undefined ? null : decodeCursor(cursor), action ?? null, target ?? null, limit + 1],
      );
      const entries = rows.slice(0, limit).map(toEntry);
      const last = entries.at(-1);
      return { entries, nextCursor: rows.length > limit && last ? encodeCursor(last.id) : null };
    },
  };
}

/** Appends acts in the transaction that does them. */
export async function writeAudit(
  { schema, clock }: Store,
  tx: Pick<Transaction, "query">,
  acts: readonly AuditAct[],
): Promise<void> {
  if (acts.length === 0) return;
  const nowMs = clock.now();
  const rows = acts.map((act) => ({
    id: newId("aud", nowMs),
    tenant_id: act.tenantId,
    actor: act.actor ?? NOBODY,
    action: act.action,
    target: act.target ?? null,
    details: JSON.stringify(act.details ?? {}),
  }));
  await tx.query(
    `insert into "${schema}".audit_log (id, tenant_id, actor, action, target, details, acted_at)
     select id, tenant_id, actor, action, target, details, $2::timestamptz
     from json_to_recordset($1::text::json)
       as w (id text, tenant_id text, actor text, action text, target text, details text)`,
    [JSON.stringify(rows), new Date(nowMs)],
  );
}

function toEntry(row: AuditRow): AuditEntry {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    actor: row.actor,
    action: row.action,
    target: row.target,
    details: JSON.parse(row.details),
    at: row.acted_at.toISOString(),
  };
}
