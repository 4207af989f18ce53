import type { SqlQuery } from "@hookline/core";
import { decodeCursor, encodeCursor, pageLimit } from "../contacts/cursor.js";
import { DEFAULTS } from "../defaults.js";
import type { Store } from "../storage/store.js";
import type { SourceKey } from "./source-secrets.js";
import { definitionOf, type SourceDefinition, type StoredSource } from "./stored-source.js";

/** A stored source with its secrets, which are encrypted. */
export interface SourceRecord {
  readonly source: StoredSource;
  readonly secrets: string;
}

export interface StoredSourceQuery {
  readonly tenantId: string;
  /** 1 to 200; 50 when absent. */
  readonly limit?: number;
  /** What the previous page answered. */
  readonly cursor?: string;
}

interface SourceRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly endpoint: string;
  readonly active: boolean;
  readonly definition: string;
  readonly secrets: string;
  readonly rotated_at: Date | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** The table of the sources that tenants make. */
export function createStoredSourceRows({ schema }: Store) {
  const table = `"${schema}".sources`;

  return {
    async insert(query: SqlQuery, { source, secrets }: SourceRecord): Promise<void> {
      await query(
        `insert into ${table} (id, tenant_id, endpoint, active, definition, secrets, rotated_at, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $8)`,
        [
          source.id,
          source.tenantId,
          source.endpoint,
          source.active,
          definitionText(source),
          secrets,
          dateOf(source.rotatedAt),
          new Date(source.createdAt),
        ],
      );
    },

    async update(query: SqlQuery, { source, secrets }: SourceRecord): Promise<void> {
      await query(
        `update ${table} set active = $2, definition = $3, secrets = $4, rotated_at = $5, updated_at = $6 where id = $1`,
        [
          source.id,
          source.active,
          definitionText(source),
          secrets,
          dateOf(source.rotatedAt),
          new Date(source.updatedAt),
        ],
      );
    },

    async get(query: SqlQuery, { tenantId, id }: SourceKey): Promise<SourceRecord | null> {
      const [row] = await query<SourceRow>(`select * from ${table} where tenant_id = $1 and id = $2`, [tenantId, id]);
      return row === undefined ? null : fromRow(row);
    },

    /** {@link get}; nobody else changes it until the transaction ends. */
    async lock(query: SqlQuery, { tenantId, id }: SourceKey): Promise<SourceRecord | null> {
      const [row] = await query<SourceRow>(`select * from ${table} where tenant_id = $1 and id = $2 for update`, [
        tenantId,
        id,
      ]);
      return row === undefined ? null : fromRow(row);
    },

    /** Of whatever tenant: the path alone says which source is meant. */
    async find(query: SqlQuery, { id, endpoint }: Pick<StoredSource, "id" | "endpoint">): Promise<SourceRecord | null> {
      const [row] = await query<SourceRow>(`select * from ${table} where id = $1 and endpoint = $2`, [id, endpoint]);
      return row === undefined ? null : fromRow(row);
    },

    /** Whose it is, whatever endpoint is asked for. */
    async ownerOf(query: SqlQuery, id: string): Promise<SourceKey | null> {
      const [row] = await query<SourceRow>(`select id, tenant_id from ${table} where id = $1`, [id]);
      return row === undefined ? null : { id: row.id, tenantId: row.tenant_id };
    },

    async list(query: SqlQuery, { tenantId, cursor, ...asked }: StoredSourceQuery) {
      const limit = pageLimit(asked.limit);
      const rows = await query<SourceRow>(
        `select * from ${table} where tenant_id = $1 and ($2::text is null or id < $2) order by id desc limit $3`,
        [tenantId, cursor === undefined ? null : decodeCursor(cursor), limit + 1],
      );
      const shown = rows.slice(0, limit);
      const last = shown.at(-1);
      return {
        sources: shown.map((row) => fromRow(row).source),
        nextCursor: rows.length > limit && last ? encodeCursor(last.id) : null,
      };
    },

    async delete(query: SqlQuery, { tenantId, id }: SourceKey): Promise<boolean> {
      const deleted = await query(`delete from ${table} where tenant_id = $1 and id = $2 returning id`, [tenantId, id]);
      return deleted.length > 0;
    },
  };
}

export function pathOf({ id, endpoint }: Pick<StoredSource, "id" | "endpoint">): string {
  return `/automation/${id}/${endpoint}`;
}

export function eventTypeOf(endpoint: string): string {
  return `source.${endpoint}`;
}

function definitionText(source: StoredSource): string {
  return JSON.stringify(definitionOf(source));
}

function dateOf(iso: string | null): Date | null {
  return iso === null ? null : new Date(iso);
}

function fromRow(row: SourceRow): SourceRecord {
  const { id, endpoint } = row;
  return {
    secrets: row.secrets,
    source: {
      id,
      tenantId: row.tenant_id,
      endpoint,
      path: pathOf({ id, endpoint }),
      eventType: eventTypeOf(endpoint),
      active: row.active,
      // Those that were made before they could say so.
      requestsPerMinute: DEFAULTS.source.rateLimit.max,
      maxBodyBytes: DEFAULTS.source.maxBodyBytes,
      ...(JSON.parse(row.definition) as Omit<SourceDefinition, "requestsPerMinute" | "maxBodyBytes"> &
        Partial<SourceDefinition>),
      rotatedAt: row.rotated_at?.toISOString() ?? null,
      createdAt: row.created_at.toISOString(),
      updatedAt: row.updated_at.toISOString(),
    },
  };
}
