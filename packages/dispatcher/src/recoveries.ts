import { newId } from "@hookline/core";
import type { Database } from "@hookline/postgres";
import { firstDeliveryIdAt, timeOf } from "./delivery-search.js";
import type { TenantScoped } from "./endpoint.js";
import { DispatcherError } from "./errors.js";
import type { Settings } from "./options.js";
import { pageLimit, readCursor, toPage } from "./page.js";
import { checkQuery, checkScoped } from "./query-input.js";
import type { RecoverableStatus, Recovery, RecoveryInput, RecoveryStatus } from "./recovery.js";
import { isoTime } from "./sql/columns.js";
import type { RecoveryRow } from "./sql/recovery-row.js";
import type { Statements } from "./sql/statements.js";
import type { FieldsOf } from "./unknown-fields.js";

export interface RecoveryQuery {
  readonly tenantId: string;
  readonly endpointId?: string;
  /** 1 to 200; 50 when absent. */
  readonly limit?: number;
  /** What the previous page answered. */
  readonly cursor?: string;
}

const QUERY_FIELDS: FieldsOf<RecoveryQuery> = { tenantId: true, endpointId: true, limit: true, cursor: true };
const INPUT_FIELDS: FieldsOf<RecoveryInput> = {
  tenantId: true,
  endpointId: true,
  since: true,
  until: true,
  status: true,
};

/** The tasks that `recover` has started. */
export interface Recoveries {
  /** How far it is; null when the tenant has no recovery of that id. */
  get(recovery: TenantScoped): Promise<Recovery | null>;
  /** Newest first. */
  list(query: RecoveryQuery): Promise<{ readonly recoveries: readonly Recovery[]; readonly nextCursor: string | null }>;
  /**
   * Ends one that runs; what it has put back stays in the queue. One that has ended is answered as it is.
   *
   * @throws DispatcherError `recovery_not_found`
   */
  cancel(recovery: TenantScoped): Promise<Recovery>;
}

export interface RecoveryTasks extends Recoveries {
  recover(input: RecoveryInput): Promise<Recovery>;
  /** Takes one running task one page on; false when there is none that no other worker is at. */
  step(): Promise<boolean>;
}

/** As many rows as one transaction may change without anybody else waiting long for it. */
const PAGE = 500;
const RECOVERABLE: readonly RecoverableStatus[] = ["dead", "held", "delivered", "all"];

/** Recoveries: durable tasks that any worker goes on with, page by page. */
export function createRecoveries(options: {
  readonly settings: Settings;
  readonly database: Database;
  readonly statements: Statements;
  /** Deliveries are due. */
  readonly wake: () => void;
  /** There is a task to go on with. */
  readonly onStarted: () => void;
}): RecoveryTasks {
  const { settings, database, statements } = options;
  const { clock } = settings;
  const { query } = database;

  const get = async (recovery: TenantScoped): Promise<Recovery | null> => {
    checkScoped(recovery);
    const { tenantId, id } = recovery;
    const [row] = await statements.listRecoveries(query, { tenantId, id, endpointId: null, before: null, limit: 1 });
    return row === undefined ? null : toRecovery(row);
  };

  return {
    get,

    async list(asked) {
      checkQuery(asked, QUERY_FIELDS);
      const limit = pageLimit(asked.limit);
      const rows = await statements.listRecoveries(query, {
        tenantId: asked.tenantId,
        id: null,
        endpointId: asked.endpointId ?? null,
        before: asked.cursor === undefined ? null : (readCursor(asked.cursor, ["id"])[0] ?? null),
        limit: limit + 1,
      });
      const { page, nextCursor } = toPage(rows, limit, (row) => [row.id]);
      return { recoveries: page.map(toRecovery), nextCursor };
    },

    async cancel(recovery) {
      checkScoped(recovery);
      await statements.cancelRecovery(query, recovery, isoTime(clock.now()));
      const found = await get(recovery);
      if (found === null) throw new DispatcherError("recovery_not_found", `There is no recovery "${recovery.id}".`);
      return found;
    },

    async recover(input) {
      checkQuery(input, INPUT_FIELDS);
      const { tenantId, endpointId, since, until, status = "dead" } = input;
      const nowMs = clock.now();
      const sinceMs = timeOf(since, "since");
      // What was made in this very millisecond belongs to it.
      const untilMs = until === undefined ? nowMs + 1 : timeOf(until, "until");
      if (sinceMs >= untilMs) throw refused("since", "is before until, or before now");
      if (!RECOVERABLE.includes(status)) throw refused("status", `is one of ${RECOVERABLE.join(", ")}`);
      const [endpoint] = await statements.loadEndpoint(query, endpointId);
      if (endpoint === undefined || endpoint.tenant_id !== tenantId) {
        throw new DispatcherError("endpoint_not_found", `There is no endpoint "${endpointId}".`);
      }
      if (status === "held" && !endpoint.active) {
        throw new DispatcherError("endpoint_disabled", "What is held waits for the endpoint to be enabled.");
      }
      const row = {
        id: newId("rec", nowMs),
        tenantId,
        endpointId,
        of: status,
        since: isoTime(sinceMs),
        until: isoTime(untilMs),
        place: firstDeliveryIdAt(sinceMs),
        placeEnd: firstDeliveryIdAt(untilMs),
      };
      const [started] = await statements.insertRecovery(query, row, isoTime(nowMs));
      options.onStarted();
      return toRecovery(started as RecoveryRow);
    },

    async step() {
      const stepped = await database.transaction(async (transaction) => {
        const [task] = await statements.takeRecovery(transaction.query);
        if (task === undefined) return null;
        const now = isoTime(clock.now());
        const isGone = task.active === null;
        const [page] = isGone ? [] : await statements.recoverPage(transaction.query, task, { now, limit: PAGE });
        const { last = null, matched = 0, requeued = 0 } = page ?? {};
        const status: RecoveryStatus = isGone ? "cancelled" : matched < PAGE ? "completed" : "running";
        await statements.advanceRecovery(
          transaction.query,
          { id: task.id, place: last, matched, requeued, status },
          now,
        );
        return requeued;
      });
      if (stepped !== null && stepped > 0) options.wake();
      return stepped !== null;
    },
  };
}

function toRecovery(row: RecoveryRow): Recovery {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    endpointId: row.endpoint_id,
    status: row.status,
    since: row.since,
    until: row.until,
    of: row.of_status,
    matched: row.matched,
    requeued: row.requeued,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    endedAt: row.ended_at,
  };
}

function refused(path: string, message: string): DispatcherError {
  return new DispatcherError("invalid_query", `recover: ${path} ${message}.`, { issues: [{ path, message }] });
}
