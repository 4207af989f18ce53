import type { SqlQuery } from "@hookline/core";
import { decodeCursor, encodeCursor, pageLimit } from "../contacts/cursor.js";
import type { Store } from "../storage/store.js";

/** One run of an automation for one event. */
export interface AutomationExecution {
  readonly id: string;
  readonly automationId: string;
  readonly automationVersion: number;
  readonly eventId: string;
  readonly eventType: string;
  /** `skipped`: its condition was not met. */
  readonly status: "running" | "succeeded" | "skipped" | "failed";
  /** Why it failed, or why it is tried again. */
  readonly error: string | null;
  /** ISO 8601. */
  readonly startedAt: string;
  /** ISO 8601; null while it runs or waits for its next try. */
  readonly endedAt: string | null;
  readonly steps: readonly StepExecution[];
}

export interface StepExecution {
  readonly id: string;
  readonly action: string;
  readonly status: "succeeded" | "failed";
  /** The rendered input. */
  readonly input: unknown;
  readonly output: unknown;
  readonly error: string | null;
  /** How often it was tried. */
  readonly tries: number;
  /** Of the last try. */
  readonly durationMs: number;
}

export interface ExecutionQuery {
  readonly tenantId: string;
  readonly automationId: string;
  /** 1 to 200; 50 when absent. */
  readonly limit?: number;
  readonly cursor?: string;
}

export interface AutomationExecutionPage {
  readonly executions: readonly AutomationExecution[];
  readonly nextCursor: string | null;
  /** Of all executions of the automation that are kept: 30 days, and about 1,000. */
  readonly totals: { readonly succeeded: number; readonly failed: number; readonly skipped: number };
}

export interface NewExecution {
  readonly id: string;
  readonly tenantId: string;
  readonly automationId: string;
  readonly version: number;
  readonly eventId: string;
  readonly eventType: string;
  readonly startedAt: Date;
}

export interface StepRecord {
  readonly executionId: string;
  readonly position: number;
  readonly id: string;
  readonly action: string;
  readonly status: StepExecution["status"];
  readonly input: unknown;
  readonly output: unknown;
  readonly error: string | null;
  readonly durationMs: number;
}

interface ExecutionRow {
  readonly id: string;
  readonly automation_id: string;
  readonly version: number;
  readonly event_id: string;
  readonly event_type: string;
  readonly status: AutomationExecution["status"];
  readonly error: string | null;
  readonly started_at: Date;
  readonly ended_at: Date | null;
}

interface StepRow {
  readonly execution_id: string;
  readonly step_id: string;
  readonly action: string;
  readonly status: StepExecution["status"];
  readonly input: string;
  readonly output: string;
  readonly error: string | null;
  readonly tries: number;
  readonly duration_ms: number;
}

const MAX_ERROR_CHARACTERS = 2_000;

export type ExecutionLog = ReturnType<typeof createExecutionLog>;

/** Executions with a record of each step: what is recorded as succeeded is not done again. */
export function createExecutionLog({ schema }: Store) {
  async function withSteps(query: SqlQuery, rows: readonly ExecutionRow[]): Promise<AutomationExecution[]> {
    const steps = await query<StepRow>(
      `select * from "${schema}".automation_steps where execution_id = any($1::text[]) order by position`,
      [rows.map(({ id }) => id)],
    );
    return rows.map((row) =>
      fromRow(
        row,
        steps.filter((step) => step.execution_id === row.id),
      ),
    );
  }

  return {
    /** Begins an execution, or answers the version with which it began before. */
    async begin(query: SqlQuery, execution: NewExecution): Promise<{ readonly version: number }> {
      const [row] = await query<{ readonly version: number }>(
        `insert into "${schema}".automation_executions
           (id, tenant_id, automation_id, version, event_id, event_type, status, started_at)
         values ($1, $2, $3, $4, $5, $6, 'running', $7)
         on conflict (id) do update set status = 'running', ended_at = null
         returning version`,
        [
          execution.id,
          execution.tenantId,
          execution.automationId,
          execution.version,
          execution.eventId,
          execution.eventType,
          execution.startedAt,
        ],
      );
      return row ?? { version: execution.version };
    },

    async end(
      query: SqlQuery,
      id: string,
      ended: {
        readonly status: AutomationExecution["status"];
        readonly error: string | null;
        readonly at: Date | null;
      },
    ): Promise<void> {
      await query(`update "${schema}".automation_executions set status = $2, error = $3, ended_at = $4 where id = $1`, [
        id,
        ended.status,
        storable(ended.error),
        ended.at,
      ]);
    },

    /** The outputs of the steps that are done, by step. */
    async outputs(query: SqlQuery, executionId: string): Promise<ReadonlyMap<string, unknown>> {
      const rows = await query<Pick<StepRow, "step_id" | "output">>(
        `select step_id, output from "${schema}".automation_steps where execution_id = $1 and status = 'succeeded'`,
        [executionId],
      );
      return new Map(rows.map(({ step_id, output }) => [step_id, JSON.parse(output) as unknown]));
    },

    async writeStep(query: SqlQuery, step: StepRecord): Promise<void> {
      await query(
        `insert into "${schema}".automation_steps
           (execution_id, step_id, position, action, status, input, output, error, tries, duration_ms)
         values ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9)
         on conflict (execution_id, step_id) do update set status = excluded.status, input = excluded.input,
           output = excluded.output, error = excluded.error, tries = automation_steps.tries + 1,
           duration_ms = excluded.duration_ms`,
        [
          step.executionId,
          step.id,
          step.position,
          step.action,
          step.status,
          jsonText(step.input),
          jsonText(step.output),
          storable(step.error),
          step.durationMs,
        ],
      );
    },

    async list(query: SqlQuery, asked: ExecutionQuery): Promise<AutomationExecutionPage> {
      const limit = pageLimit(asked.limit);
      const about = [asked.tenantId, asked.automationId];
      const rows = await query<ExecutionRow>(
        `select * from "${schema}".automation_executions
         where tenant_id = $1 and automation_id = $2 and ($3::text is null or id < $3)
         order by id desc limit $4`,
        [...about, asked.cursor === undefined ? null : decodeCursor(asked.cursor), limit + 1],
      );
      const shown = rows.slice(0, limit);
      const totals = await query<{ readonly status: AutomationExecution["status"]; readonly count: number }>(
        `select status, count(*)::int as count from "${schema}".automation_executions
         where tenant_id = $1 and automation_id = $2 group by status`,
        about,
      );
      const countOf = (status: AutomationExecution["status"]) =>
        totals.find((total) => total.status === status)?.count ?? 0;
      const last = shown.at(-1);
      return {
        executions: await withSteps(query, shown),
        nextCursor: rows.length > limit && last ? encodeCursor(last.id) : null,
        totals: { succeeded: countOf("succeeded"), failed: countOf("failed"), skipped: countOf("skipped") },
      };
    },

    /** What some events have run, newest first. */
    async listOfEvents(
      query: SqlQuery,
      { tenantId, eventIds }: { readonly tenantId: string; readonly eventIds: readonly string[] },
    ): Promise<readonly AutomationExecution[]> {
      const rows = await query<ExecutionRow>(
        `select * from "${schema}".automation_executions
         where tenant_id = $1 and event_id = any($2::text[]) order by id desc`,
        [tenantId, [...eventIds]],
      );
      return withSteps(query, rows);
    },
  };
}

/** Postgres stores no U+0000. */
const storable = (text: string | null): string | null =>
  text === null ? null : text.replaceAll("\u0000", "").slice(0, MAX_ERROR_CHARACTERS);

/** JSON text escapes U+0000 itself. */
const jsonText = (value: unknown): string => JSON.stringify(value) ?? "null";

function fromRow(row: ExecutionRow, steps: readonly StepRow[]): AutomationExecution {
  return {
    id: row.id,
    automationId: row.automation_id,
    automationVersion: row.version,
    eventId: row.event_id,
    eventType: row.event_type,
    status: row.status,
    error: row.error,
    startedAt: row.started_at.toISOString(),
    endedAt: row.ended_at?.toISOString() ?? null,
    steps: steps.map((step) => ({
      id: step.step_id,
      action: step.action,
      status: step.status,
      input: JSON.parse(step.input) as unknown,
      output: JSON.parse(step.output) as unknown,
      error: step.error,
      tries: step.tries,
      durationMs: step.duration_ms,
    })),
  };
}
