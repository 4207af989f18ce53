import {
  type DirectSend,
  type EventInput,
  newId,
  OUTBOX_REFUSALS,
  type Outbox,
  type OutboxRefusal,
  type Published,
  type PublishOutcome,
  type SqlQuery,
  type Transaction,
} from "@hookline/core";
import { type Database, isInsideTransaction } from "@hookline/postgres";
import { queryWithin, transactionOf } from "./callers-transaction.js";
import { createCommitWatch } from "./commit-watch.js";
import type { DestinationRegistry } from "./destinations/registry.js";
import type { EndpointCodec } from "./endpoint-codec.js";
import { DispatcherError, isDispatcherError } from "./errors.js";
import type { EventCatalogue } from "./event-catalogue.js";
import { checkSize, toEventRow, toJson } from "./event-input.js";
import type { Job } from "./job.js";
import { DIRECT_SEND_TYPE, directJobOf, publishedJobs } from "./jobs.js";
import { checkMessageFields } from "./message-input.js";
import type { Settings } from "./options.js";
import { createSharedInsert, isShareable } from "./shared-insert.js";
import { isoTime } from "./sql/columns.js";
import { DELIVERY_NUMBER_DIGITS, type EventRow, type PublishEventsParams } from "./sql/publish-events.js";
import type { MessageRow } from "./sql/send-message.js";
import type { Statements } from "./sql/statements.js";
import type { Traces } from "./traces.js";
import type { Worker } from "./worker.js";

/** What the dispatcher answers for as an outbox, but for its endpoints. */
export type Publisher = Pick<Outbox, "publish" | "publishMany" | "publishEach" | "send">;

/** Where a publication is written, and how its deliveries start on their way. */
interface Writing {
  readonly query: SqlQuery;
  readonly nowMs: number;
  /** Null: the deliveries stay in line. */
  readonly leasedUntilMs: number | null;
  /** Listening workers are told on commit. */
  readonly notifies: boolean;
  /** Hands jobs over once they are committed; `inLine` when there is more for a claim to take. */
  handOver(jobs: readonly Job[], inLine: boolean): void;
}

/** Writes events, direct sends and their deliveries. */
export function createPublisher(options: {
  readonly settings: Settings;
  readonly database: Database;
  readonly statements: Statements;
  readonly registry: DestinationRegistry;
  readonly catalogue: EventCatalogue;
  readonly codec: EndpointCodec;
  readonly channel: string;
  readonly traces: Traces;
  /** The worker of this process, while it runs. */
  readonly worker: () => Worker | null;
}): Publisher {
  const { settings, database, statements, registry, catalogue, codec, channel, traces } = options;
  const { clock, logger } = settings;

  const commits = createCommitWatch({
    clock,
    pollMs: settings.pollMs,
    look(sinceMs) {
      const worker = options.worker();
      if (worker !== null) return worker.wake(sinceMs);
      statements
        .notifyWorkers(database.query, channel, isoTime(sinceMs))
        .catch((error: unknown) => logger.debug({ err: error }, "workers could not be told; their poll will find it"));
    },
  });

  /** Outside a transaction of the caller's: what is committed is what was written. */
  const writingDirectly = (query: SqlQuery, afterCommit?: (callback: () => void) => void): Writing => {
    const worker = options.worker();
    const leasedUntilMs = worker?.leasedUntilMs() ?? null;
    const nowMs = clock.now();
    return {
      query,
      nowMs,
      leasedUntilMs,
      notifies: leasedUntilMs === null,
      handOver(jobs, inLine) {
        if (jobs.length === 0 && !inLine) return;
        const deliver = () => {
          worker?.handOver(jobs);
          if (inLine) worker?.wake(nowMs);
        };
        if (afterCommit === undefined) deliver();
        else afterCommit(deliver);
      },
    };
  };

  /**
   * The caller may roll back to a savepoint and commit the rest, which nobody hears of: so nothing is handed over from
   * memory, and the worker looks after the commit at what is there.
   */
  const writingWithin = (transaction: Transaction): Writing => {
    const worker = options.worker();
    const wakes = transaction.afterCommit !== undefined && worker !== null && worker.leasedUntilMs() !== null;
    const nowMs = clock.now();
    if (wakes) transaction.afterCommit(() => worker.wake(nowMs));
    const notifies = !wakes && commits.mayNotify();
    if (!wakes && !notifies) commits.watch(nowMs);
    return {
      query: queryWithin(transaction),
      nowMs,
      leasedUntilMs: null,
      notifies,
      handOver: () => {},
    };
  };

  const writingFor = (transaction: Transaction | undefined): Writing =>
    transaction === undefined ? writingDirectly(database.query) : writingWithin(transaction);

  const timesOf = ({ nowMs, leasedUntilMs, notifies }: Writing) => ({
    now: isoTime(nowMs),
    leasedUntil: leasedUntilMs === null ? null : isoTime(leasedUntilMs),
    notifyChannel: notifies ? channel : null,
  });

  /** Writes what is new and hands over what is under a lease. Answers the rows whose key or id is known. */
  const store = async (
    rows: readonly EventRow[],
    writing: Writing,
    params: PublishEventsParams,
  ): Promise<readonly EventRow[]> => {
    const { query, leasedUntilMs } = writing;
    const [first] = rows;
    const only = rows.length === 1 && first?.orderingKey === null ? first : null;
    if (leasedUntilMs === null && only !== null) {
      return (await statements.publishEvent(query, only, params)).length > 0 ? [] : rows;
    }
    const made = await (only === null
      ? statements.publishEvents(query, rows, params)
      : statements.publishLeasedEvent(query, only, params));
    if (leasedUntilMs !== null) {
      const inLine = rows.some((row) => row.orderingKey !== null);
      writing.handOver(publishedJobs(rows, made, leasedUntilMs), inLine);
    }
    if (params.areNew && only === null) return [];
    const stored = new Set(made.map((row) => row.event_id));
    return rows.filter((row) => !stored.has(row.id));
  };

  /** Answers which event each row stands for, which may be one that was there, or why it can stand for none. */
  const write = async (
    rows: readonly EventRow[],
    writing: Writing,
    areNew = false,
  ): Promise<readonly (Published | DispatcherError)[]> => {
    const idPrefix = newId("dlv", writing.nowMs).slice(0, -DELIVERY_NUMBER_DIGITS);
    const missing = await store(rows, writing, { ...timesOf(writing), idPrefix, areNew });
    const known = missing.length === 0 ? null : await findKnown(missing, writing);
    return rows.map((row) => known?.get(row) ?? { id: row.id, duplicate: false });
  };

  // What may share an insert has neither a key nor an id of the caller's.
  const sharedInsert = createSharedInsert((rows) => write(rows, writingDirectly(database.query), true));

  const isOutdated = (storedAtMs: number, { nowMs }: Writing): boolean =>
    storedAtMs <= nowMs - settings.idempotencyWindowMs;

  const findKnown = async (missing: readonly EventRow[], writing: Writing) => {
    const found = await statements.findPublishedEvents(writing.query, missing);
    const outdated = found
      .filter((first) => first.by_key && isOutdated(first.stored_at_ms, writing))
      .map(({ id }) => id);
    if (outdated.length > 0) {
      await statements.releaseKeys(writing.query, "events", outdated);
      const written = await write(missing, writing);
      return new Map(missing.map((row, index) => [row, written[index] as Published | DispatcherError]));
    }
    const known = new Map<EventRow, Published | DispatcherError>();
    for (const first of found) {
      const row = missing[first.position];
      if (row === undefined || known.has(row)) continue;
      if (first.tenant_id !== row.tenantId || first.type !== row.type || !(first.expunged || first.body === row.body)) {
        const what = row.idempotencyKey === null ? `id "${row.id}"` : `idempotency key "${row.idempotencyKey}"`;
        known.set(row, new DispatcherError("idempotency_conflict", `The ${what} stands for another event already.`));
      } else {
        known.set(row, { id: first.id, duplicate: true });
      }
    }
    for (const row of missing.filter((one) => !known.has(one))) {
      const message = "An event with the same key is being published right now.";
      known.set(row, new DispatcherError("idempotency_conflict", message));
    }
    return known;
  };

  const writeAll = async (rows: readonly EventRow[], writing: Writing): Promise<readonly Published[]> =>
    (await write(rows, writing)).map((written) => {
      if (written instanceof DispatcherError) throw written;
      return written;
    });

  /** Each event's row, or why there can be none. */
  const prepareEach = (
    events: readonly EventInput[],
    nowMs: number,
  ): Promise<readonly (EventRow | DispatcherError)[]> =>
    Promise.all(
      events.map((event) =>
        prepare(event, nowMs).catch((error: unknown) => {
          if (isDispatcherError(error) && isRefusal(error.code)) return error;
          throw error;
        }),
      ),
    );

  const prepare = (event: EventInput, nowMs: number): Promise<EventRow> =>
    toEventRow(event, { catalogue, maxBytes: settings.maxEventBytes, nowMs });

  const checkMessage = (message: DirectSend): void => {
    checkMessageFields(message);
    registry.require(message.destination);
    if (registry.signs(message.destination)) {
      throw new DispatcherError(
        "invalid_message",
        `"${message.destination}" signs with the secret of an endpoint: make one with endpoints.create.`,
        { issues: [{ path: "destination", message: "needs an endpoint" }] },
      );
    }
  };

  const writeMessage = async (
    message: DirectSend,
    traceContext: string | null,
    transaction: Transaction | undefined,
  ): ReturnType<Publisher["send"]> => {
    const writing = writingFor(transaction);
    const id = newId("dlv", writing.nowMs);
    const body = toJson(message.data, "invalid_message");
    checkSize(body, settings.maxEventBytes);
    const target = registry.parseTarget(message.destination, message.target, "invalid_message");
    const row: MessageRow = {
      id,
      tenantId: message.tenantId,
      destination: message.destination,
      target: codec.encryptMessageTarget(id, target),
      body,
      idempotencyKey: message.idempotencyKey ?? null,
      deadlineAt: message.deadline === undefined ? null : isoTime(message.deadline.getTime()),
      traceContext,
      subjectIds: message.subjectIds === undefined || message.subjectIds.length === 0 ? null : message.subjectIds,
    };
    const stored = await statements.sendMessage(writing.query, row, timesOf(writing));
    if (stored.length > 0) {
      if (writing.leasedUntilMs !== null) {
        writing.handOver([directJobOf(row, writing.nowMs, writing.leasedUntilMs)], false);
      }
      return { deliveryId: id, duplicate: false };
    }
    const [first] = await statements.findMessage(writing.query, message.tenantId, row.idempotencyKey ?? "");
    if (first !== undefined && isOutdated(first.stored_at_ms, writing)) {
      await statements.releaseKeys(writing.query, "messages", [first.id]);
      return writeMessage(message, traceContext, transaction);
    }
    const isSame =
      first?.destination === row.destination &&
      (first.expunged || (first.body === body && codec.isMessageTarget(first.id, first.target, target)));
    if (!isSame) {
      throw new DispatcherError(
        "idempotency_conflict",
        `The idempotency key "${row.idempotencyKey}" stands for another message already.`,
      );
    }
    return { deliveryId: first.id, duplicate: true };
  };

  return {
    async publish(event, outboxOptions = {}) {
      const prepared = await prepare(event, clock.now());
      const transaction = transactionOf(outboxOptions);
      const isShared = transaction === undefined && isShareable(prepared, event.id !== undefined);
      return traces.publish([prepared], async (traceContext) => {
        const row = inTrace(prepared, traceContext);
        if (isShared && !isInsideTransaction(database)) return sharedInsert.insert(row);
        const [published] = await writeAll([row], writingFor(transaction));
        return published as Published;
      });
    },

    async publishMany(events, outboxOptions = {}) {
      checkList(events);
      if (events.length === 0) return [];
      const nowMs = clock.now();
      const rows = await Promise.all(events.map((event) => prepare(event, nowMs)));
      if (new Set(rows.map((row) => row.id)).size < rows.length) throw sameId();
      const transaction = transactionOf(outboxOptions);
      return traces.publish(rows, async (traceContext) => {
        const traced = rows.map((row) => inTrace(row, traceContext));
        if (transaction !== undefined) return writeAll(traced, writingWithin(transaction));
        // A conflict in one of them leaves none.
        return database.transaction(({ query, afterCommit }) => writeAll(traced, writingDirectly(query, afterCommit)));
      });
    },

    async publishEach(events, outboxOptions = {}) {
      checkList(events);
      const prepared = refuseSameIds(await prepareEach(events, clock.now()));
      const rows = prepared.filter((one): one is EventRow => !(one instanceof DispatcherError));
      const transaction = transactionOf(outboxOptions);
      const writeTraced = (traceContext: string | null) => {
        const traced = rows.map((row) => inTrace(row, traceContext));
        return write(traced, writingFor(transaction));
      };
      const written = rows.length === 0 ? [] : await traces.publish(rows, writeTraced);
      const results = new Map(rows.map((row, index) => [row, written[index] as Published | DispatcherError]));
      return prepared.map((one) => toOutcome(one instanceof DispatcherError ? one : results.get(one)));
    },

    async send(message, outboxOptions = {}) {
      checkMessage(message);
      const transaction = transactionOf(outboxOptions);
      return traces.publish([{ type: DIRECT_SEND_TYPE, tenantId: message.tenantId }], (traceContext) =>
        writeMessage(message, traceContext, transaction),
      );
    },
  };
}

function checkList(events: unknown): void {
  if (Array.isArray(events)) return;
  const message = "is a list of events";
  throw new DispatcherError("invalid_event", `What is published ${message}.`, { issues: [{ path: "", message }] });
}

function inTrace(row: EventRow, traceContext: string | null): EventRow {
  return traceContext === null ? row : { ...row, traceContext };
}

function isRefusal(code: string): code is OutboxRefusal {
  return (OUTBOX_REFUSALS as readonly string[]).includes(code);
}

function sameId(): DispatcherError {
  return new DispatcherError("invalid_event", "Two of the events have the same id.");
}

/** The first row of an id stays. */
function refuseSameIds(prepared: readonly (EventRow | DispatcherError)[]): readonly (EventRow | DispatcherError)[] {
  const ids = new Set<string>();
  return prepared.map((one) => {
    if (one instanceof DispatcherError) return one;
    if (ids.has(one.id)) return sameId();
    ids.add(one.id);
    return one;
  });
}

function toOutcome(written: Published | DispatcherError | undefined): PublishOutcome {
  if (!(written instanceof DispatcherError)) return { status: "published", ...(written as Published) };
  return { status: "refused", code: written.code as OutboxRefusal, message: written.message };
}
