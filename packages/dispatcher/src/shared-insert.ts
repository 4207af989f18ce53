import { AsyncResource } from "node:async_hooks";
import type { Published } from "@hookline/core";
import { isDatabaseError } from "@hookline/postgres";
import type { EventRow } from "./sql/publish-events.js";

/** Inserts of callers that come at the same time, in one statement. */
export interface SharedInsert {
  insert(row: EventRow): Promise<Published>;
}

type Outcome = Published | Error;

interface Waiting {
  readonly row: EventRow;
  readonly settle: (outcome: Outcome) => void;
}

const MAX_ROWS = 200;
const MAX_BODY_CHARACTERS = 1024 * 1024;

/** Whether an event may share its insert. One with a key or an id may have to wait for what others do with the same. */
export function isShareable(row: EventRow, hasOwnId: boolean): boolean {
  return !hasOwnId && row.idempotencyKey === null && row.orderingKey === null;
}

/**
 * Gathers what comes up within one turn of the event loop, and while an insert is under way. What one event is refused
 * for, the others do not notice: they are written once more without it.
 */
export function createSharedInsert(write: (rows: readonly EventRow[]) => Promise<readonly Outcome[]>): SharedInsert {
  // Whoever comes first must not pull the insert into the transaction or trace that it runs in.
  const scope = new AsyncResource("hookline.shared-insert");
  let waiting: Waiting[] = [];
  let busy = false;

  const nextBatch = (): readonly Waiting[] => {
    let count = 0;
    let characters = 0;
    for (const { row } of waiting) {
      characters += row.body.length;
      if (count === MAX_ROWS || (count > 0 && characters > MAX_BODY_CHARACTERS)) break;
      count += 1;
    }
    const batch = waiting.slice(0, count);
    waiting = waiting.slice(count);
    return batch;
  };

  const insertBatch = async (batch: readonly Waiting[]): Promise<void> => {
    try {
      const outcomes = await write(batch.map(({ row }) => row));
      for (const [index, { settle }] of batch.entries()) settle(outcomes[index] ?? new Error("No outcome."));
    } catch (error) {
      if (batch.length === 1 || !isUndone(error)) {
        for (const { settle } of batch) settle(asError(error));
        return;
      }
      for (const one of batch) await insertBatch([one]);
    }
  };

  const run = (): void => {
    const next = (): void => {
      busy = false;
      start();
    };
    insertBatch(nextBatch()).then(next, next);
  };

  const start = (): void => {
    if (busy || waiting.length === 0) return;
    busy = true;
    setImmediate(() => scope.runInAsyncScope(run));
  };

  return {
    insert: (row) =>
      new Promise((resolve, reject) => {
        const settle = (outcome: Outcome): void => {
          if (outcome instanceof Error) reject(outcome);
          else resolve(outcome);
        };
        waiting.push({ row, settle });
        start();
      }),
  };
}

/** Whether nothing of the statement can have happened. */
function isUndone(error: unknown): boolean {
  return isDatabaseError(error) && error.code !== "connection_failed" && error.code !== "closed";
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
