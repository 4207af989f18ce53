import { newId, type SqlQuery } from "@hookline/core";
import type { WebhookVerificationErrorCode } from "@hookline/webhook-signing";
import { decodeCursor, encodeCursor, pageLimit } from "../contacts/cursor.js";
import type { Store } from "../storage/store.js";
import { createSweeper } from "../storage/sweep.js";
import type { CheckedSource } from "./check-source.js";

/** What came in through sources, and what was refused. Newest first. */
export interface SourceHistory {
  /** Calls that passed every check of their caller. @throws EngineError `invalid_cursor` */
  executions(query?: SourceExecutionQuery): Promise<ExecutionPage>;
  /** One of them, by the id that its sender was answered; null when the tenant has none, or has it no more. */
  execution(execution: { readonly tenantId: string; readonly id: string }): Promise<Execution | null>;
  /** Calls that did not; never a secret, a token or a body. @throws EngineError `invalid_cursor` */
  refusals(query?: RefusalQuery): Promise<RefusalPage>;
}

export interface SourceQuery {
  /** Absent: of every tenant. */
  readonly tenantId?: string;
  readonly sourceId?: string;
  /** 1 to 200; 50 when absent. */
  readonly limit?: number;
  /** What the previous page answered. */
  readonly cursor?: string;
}

export interface SourceExecutionQuery extends SourceQuery {
  readonly status?: Execution["status"];
}

export interface ExecutionPage {
  readonly executions: readonly Execution[];
  readonly nextCursor: string | null;
  readonly totals: ExecutionTotals;
}

/** Of all executions that are kept of the tenant and source asked for, whatever their status. */
export interface ExecutionTotals extends Readonly<Record<Execution["status"], number>> {
  /** Share of those that did not fail, 0 to 1; null where there are none. */
  readonly successRate: number | null;
  readonly failureRate: number | null;
}

export const EXECUTION_STATUSES = ["succeeded", "duplicate", "failed"] as const;

/** One call that was accepted. */
export interface Execution {
  readonly id: string;
  readonly tenantId: string;
  readonly sourceId: string;
  /** The signed id of the message, where the scheme has one. */
  readonly messageId: string | null;
  /** `duplicate`: its sender had sent this message before, and nothing was done. */
  readonly status: (typeof EXECUTION_STATUSES)[number];
  /** Of a failed one: `invalid_json`, `validation_failed`, `transform_failed`, `internal_error`, or why an event was refused. */
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly eventIds: readonly string[];
  /** The body as it came. */
  readonly payload: string;
  /** ISO 8601. */
  readonly receivedAt: string;
  readonly durationMs: number;
}

/** A query of refusals. */
export interface RefusalQuery extends SourceQuery {
  /** Also what was asked of endpoints that nobody has. Without a `tenantId` these are there anyway. */
  readonly unclaimed?: boolean;
}

export interface RefusalPage {
  readonly refusals: readonly Refusal[];
  readonly nextCursor: string | null;
}

/**
 * One call that was refused. Of calls over the rate limit, the first one in each window and address; of those with an
 * unknown endpoint or a wrong method, the first ten in each minute and address, and the first hundred in each minute.
 */
export interface Refusal {
  readonly id: string;
  /** Null for an endpoint that nobody has; so the source. */
  readonly tenantId: string | null;
  readonly sourceId: string | null;
  readonly reason: RefusalReason;
  /** Where it came from, or `unknown`. */
  readonly address: string;
  /** What was asked for, without its query, 200 characters at most; of unknown endpoints and wrong methods only. */
  readonly path: string | null;
  /** ISO 8601. */
  readonly refusedAt: string;
}

export type RefusalReason =
  | "rate_limited"
  | "inactive"
  | "address_not_allowed"
  | "bearer_missing"
  | "bearer_mismatch"
  | "replayed"
  | StrayReason
  | WebhookVerificationErrorCode;

/** Why a request never came to the checks of a source. */
export type StrayReason = "unknown_endpoint" | "method_not_allowed";

/** What a refusal is recorded under. */
export type RefusedSource = Pick<CheckedSource, "id" | "tenantId">;

/** An execution as it is written. */
export interface ExecutionRecord extends Pick<Execution, "id" | "messageId" | "status" | "eventIds"> {
  readonly error?: { readonly code: string; readonly message: string };
  readonly payload: Uint8Array;
  readonly receivedAt: Date;
  readonly startedMs: number;
}

export interface SourceLog extends SourceHistory {
  /** In the caller's transaction, or by itself. */
  writeExecution(query: SqlQuery, source: CheckedSource, record: ExecutionRecord): Promise<void>;
  /** Removes what is too old or too much, at most once a minute. Never throws. */
  sweepIfDue(): Promise<void>;
  /** Never throws: what is refused stays refused. */
  writeRefusal(source: RefusedSource, refusal: Pick<Refusal, "reason" | "address">): Promise<void>;
  /** The same for what never came to a source; null from `ownerOf`: nobody's. */
  writeStray(
    stray: Pick<Refusal, "address" | "path"> & { readonly reason: StrayReason },
    ownerOf: () => Promise<RefusedSource | null>,
  ): Promise<void>;
}

interface ExecutionRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly source_id: string;
  readonly message_id: string | null;
  readonly status: Execution["status"];
  readonly error_code: string | null;
  readonly error_message: string | null;
  readonly event_ids: readonly string[];
  readonly payload: Uint8Array;
  readonly received_at: Date;
  readonly duration_ms: number;
}

interface RefusalRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly source_id: string;
  readonly reason: RefusalReason;
  readonly address: string;
  readonly path: string | null;
  readonly refused_at: Date;
}

const MAX_MESSAGE_CHARACTERS = 1_000;

/** What stands in the rows of refusals that are nobody's; no tenant and no source has such an id. */
const NOBODY: RefusedSource = { id: "", tenantId: "" };

/** Executions and refusals, kept for a time and up to a number by the sweeper. */
export function createSourceLog(store: Store): SourceLog {
  const { database, schema, clock, logger } = store;
  const sweeper = createSweeper(store);

  async function page<Row extends { readonly id: string }>(
    table: "source_executions" | "source_refusals",
    { status, unclaimed = false, ...query }: SourceExecutionQuery & RefusalQuery,
  ) {
    const limit = pageLimit(query.limit);
    const rows = await database.query<Row>(
      `select * from "${schema}".${table}
       where ($1::text[] is null or tenant_id = any($1)) and ($2::text is null or source_id = $2)
         and ($3::text is null or id < $3) ${status === undefined ? "" : "and status = $5"}
       order by id desc
       limit $4`,
      [
        query.tenantId === undefined ? null : [query.tenantId, ...(unclaimed ? [NOBODY.tenantId] : [])],
        query.sourceId ?? null,
        query.cursor === undefined ? null : decodeCursor(query.cursor),
        limit + 1,
        ...(status === undefined ? [] : [status]),
      ],
    );
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    return { shown, nextCursor: rows.length > limit && last ? encodeCursor(last.id) : null };
  }

  async function totalsOf({ tenantId, sourceId }: SourceQuery): Promise<ExecutionTotals> {
    const rows = await database.query<{ readonly status: Execution["status"]; readonly count: number }>(
      `select status, count(*)::int as count from "${schema}".source_executions
       where ($1::text is null or tenant_id = $1) and ($2::text is null or source_id = $2)
       group by status`,
      [tenantId ?? null, sourceId ?? null],
    );
    const counts = Object.fromEntries(rows.map(({ status, count }) => [status, count]));
    const { succeeded = 0, duplicate = 0, failed = 0 } = counts;
    const all = succeeded + duplicate + failed;
    const rateOf = (count: number) => (all === 0 ? null : count / all);
    return {
      succeeded,
      duplicate,
      failed,
      successRate: rateOf(succeeded + duplicate),
      failureRate: rateOf(failed),
    };
  }

  /** Never throws: what is refused stays refused. */
  async function write(
    { reason, address, path }: Pick<Refusal, "reason" | "address" | "path">,
    ownerOf: () => Promise<RefusedSource>,
  ): Promise<void> {
    const nowMs = clock.now();
    try {
      const { id: sourceId, tenantId } = await ownerOf();
      logger.warn({ sourceId, reason, address, ...(path === null ? {} : { path }) }, "a source refused a request");
      await sweeper.sweepIfDue();
      await database.query(
        `insert into "${schema}".source_refusals (id, tenant_id, source_id, reason, address, path, refused_at)
         values ($1, $2, $3, $4, $5, $6, $7)`,
        [newId("ref", nowMs), tenantId, sourceId, reason, address, path, new Date(nowMs)],
      );
    } catch (error) {
      logger.error({ err: error, reason, address }, "a refusal can't be recorded");
    }
  }

  return {
    sweepIfDue: () => sweeper.sweepIfDue(),

    async executions(query = {}) {
      const { shown, nextCursor } = await page<ExecutionRow>("source_executions", query);
      return { executions: shown.map(toExecution), nextCursor, totals: await totalsOf(query) };
    },

    async execution({ tenantId, id }) {
      const [row] = await database.query<ExecutionRow>(
        `select * from "${schema}".source_executions where tenant_id = $1 and id = $2`,
        [tenantId, id],
      );
      return row === undefined ? null : toExecution(row);
    },

    async refusals(query = {}) {
      const { shown, nextCursor } = await page<RefusalRow>("source_refusals", query);
      return { refusals: shown.map(toRefusal), nextCursor };
    },

    async writeExecution(query, source, { id, messageId, status, eventIds, error, payload, receivedAt, startedMs }) {
      await query(
        `insert into "${schema}".source_executions
           (id, tenant_id, source_id, message_id, status, error_code, error_message, event_ids, payload, received_at, duration_ms)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
        [
          id,
          source.tenantId,
          source.id,
          messageId,
          status,
          error?.code ?? null,
          // Such a message may quote what came in; Postgres stores no U+0000.
          error?.message.replaceAll("\u0000", "").slice(0, MAX_MESSAGE_CHARACTERS) ?? null,
          [...eventIds],
          payload,
          receivedAt,
          Math.round(performance.now() - startedMs),
        ],
      );
    },

    writeRefusal: (source, refusal) => write({ ...refusal, path: null }, async () => source),
    writeStray: (stray, ownerOf) => write(stray, async () => (await ownerOf()) ?? NOBODY),
  };
}

function toExecution(row: ExecutionRow): Execution {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    sourceId: row.source_id,
    messageId: row.message_id,
    status: row.status,
    errorCode: row.error_code,
    errorMessage: row.error_message,
    eventIds: row.event_ids,
    payload: new TextDecoder().decode(row.payload),
    receivedAt: row.received_at.toISOString(),
    durationMs: row.duration_ms,
  };
}

function toRefusal(row: RefusalRow): Refusal {
  return {
    id: row.id,
    tenantId: row.tenant_id || null,
    sourceId: row.source_id || null,
    reason: row.reason,
    address: row.address,
    path: row.path,
    refusedAt: row.refused_at.toISOString(),
  };
}
