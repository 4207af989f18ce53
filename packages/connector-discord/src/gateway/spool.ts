import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock } from "@hookline/core";
import { ClassicLevel } from "classic-level";
import type { StoredSession } from "../stored-session.js";
import { GatewayWorkerError } from "./errors.js";
import {
  addToRecords,
  decodeRecord,
  encodeRecord,
  holdFullBatch,
  KEY_END,
  RECORD_PREFIX,
  recordKey,
  recordRange,
  type SpoolEntry,
  type SpooledItem,
  type SpoolRecord,
} from "./spool-record.js";

export interface LaneDepth {
  readonly items: number;
  readonly bytes: number;
  /** When the oldest of them was received, or a little before. */
  readonly oldestAtMs: number;
}

/**
 * Packets between Discord and the API, on disk. A packet and the position in its session are written in one atomic,
 * synced batch: after a crash Discord replays exactly what is not here.
 */
export interface Spool {
  /** This spool's own name, the same after each restart. */
  readonly id: string;
  /** The place of the last packet that was appended. */
  lastOrder(): number;
  /**
   * Queues packets, and the session's position behind them if they have one, for the next group that is synced: at once
   * after a quiet time, with a full batch and with a new session, else when the time of gathering is over.
   */
  append(entries: readonly SpoolEntry[], position: { shardId: number; session: StoredSession } | null): void;
  /** Queues a position that no packet of ours stands for; it is written with the next group, in a second where none is being gathered. */
  advance(position: { shardId: number; session: StoredSession }): void;
  /** What a restart would resume from. */
  sessions(): ReadonlyMap<number, StoredSession>;
  lanes(): ReadonlyMap<string, LaneDepth>;
  /** Items of a lane behind `afterOrder`, oldest first: as many as `atLeast`, and what was stored with the last of them. */
  read(lane: string, afterOrder: number, atLeast: number): Promise<readonly SpooledItem[]>;
  /**
   * Forgets a lane's oldest items, which the API has answered for. The disk is told with the next group, at the latest
   * after the time in which packets are gathered: sending twice is harmless, and losing is not.
   */
  remove(lane: string, items: readonly SpooledItem[]): void;
  /** Also counts what is not on disk yet. */
  depth(): { readonly items: number; readonly bytes: number; readonly oldestAtMs: number | null };
  isFull(): boolean;
  /** Resolves when everything queued before is on disk. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface SpoolOptions {
  readonly directory: string;
  readonly maxItems: number;
  readonly maxBytes: number;
  /** Packets that arrive within this time share one sync of the disk, unless a batch is full before. */
  readonly gatherMs: number;
  readonly clock: Clock;
  /** Called synchronously after each group, lane by lane, in order. */
  readonly onStored: (lane: string, items: readonly SpooledItem[]) => void;
  /** The disk refuses: nothing can be kept any more, so nothing may be accepted any more. */
  readonly onFailure: (error: GatewayWorkerError) => void;
}

const POSITION_DELAY_MS = 1_000;
const FORMAT = "2";
/** Each item had a value of its own; the rest is as it is now. */
const FORMAT_OF_SINGLE_ITEMS = "1";
const FORMAT_KEY = "format";
const ID_KEY = "id";
const SESSION_PREFIX = "s!";

interface MutableDepth {
  items: number;
  bytes: number;
  oldestAtMs: number;
  /** Up to this order the API has answered, though the disk may not know it yet. */
  removedTo: number;
}

/**
 * Opens the spool in `directory`, which one process at a time can hold.
 *
 * @throws {GatewayWorkerError} `spool_locked`, `spool_corrupt`, `spool_failed`
 */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const level = await openLevel(join(options.directory, "queue"));
  const lanes = new Map<string, MutableDepth>();
  const sessions = new Map<number, StoredSession>();
  let lastOrder = await load(level, lanes, sessions);
  const id = await idOf(level);

  /** By lane, in the order in which they came. */
  let pending = new Map<string, SpoolRecord[]>();
  let positions = new Map<number, StoredSession>();
  /** Records that are no more, or have lost their first packets, by key. */
  let removals = new Map<string, Operation>();
  let cancelTimer: (() => void) | null = null;
  let timerIsSoon = false;
  let lastGroupAtMs = Number.NEGATIVE_INFINITY;
  let commits: Promise<void> = Promise.resolve();
  /** A group will be written as soon as the one before is, with all that has come until then. */
  let isQueued = false;
  let failed = false;
  let totalItems = sum(lanes, "items");
  let totalBytes = sum(lanes, "bytes");

  function schedule(soon: boolean): void {
    if (failed || isQueued || (cancelTimer && (timerIsSoon || !soon))) {
      return;
    }
    cancelTimer?.();
    timerIsSoon = soon;
    cancelTimer = options.clock.setTimer(commit, soon ? gatherDelayMs() : POSITION_DELAY_MS);
  }

  /** None after a quiet time: what comes alone goes at once, and only what follows soon is gathered. */
  function gatherDelayMs(): number {
    const { clock, gatherMs } = options;
    return Math.min(Math.max(lastGroupAtMs + gatherMs - clock.now(), 0), gatherMs);
  }

  function commit(): void {
    cancelTimer?.();
    cancelTimer = null;
    if (!isQueued) {
      isQueued = true;
      commits = commits.then(writeGroup);
    }
  }

  function hasNewSession(written: ReadonlyMap<number, StoredSession>): boolean {
    return [...written].some(([shardId, { sessionId }]) => sessions.get(shardId)?.sessionId !== sessionId);
  }

  async function writeGroup(): Promise<void> {
    isQueued = false;
    if (failed || (pending.size === 0 && positions.size === 0 && removals.size === 0)) {
      return;
    }
    const group = { lanes: pending, positions, removals };
    pending = new Map();
    positions = new Map();
    removals = new Map();
    lastGroupAtMs = group.lanes.size > 0 ? options.clock.now() : lastGroupAtMs;
    try {
      await level.batch(
        [
          ...group.removals.values(),
          ...[...group.lanes.values()].flat().map((record) => put(recordKey(record), encodeRecord(record.items))),
          ...[...group.positions].map(([shardId, session]) =>
            put(`${SESSION_PREFIX}${shardId}`, JSON.stringify(session)),
          ),
        ],
        { sync: group.lanes.size > 0 || hasNewSession(group.positions) },
      );
    } catch (cause) {
      failed = true;
      options.onFailure(
        new GatewayWorkerError(
          "spool_failed",
          `The spool in ${options.directory} could not be written. Check free space and permissions. After the restart the worker asks Discord again for what came since; a client begins anew, which is told as a gap.`,
          { cause },
        ),
      );
      return;
    }
    for (const [shardId, session] of group.positions) {
      sessions.set(shardId, session);
    }
    for (const [lane, records] of group.lanes) {
      const items = records.flatMap((record) => record.items);
      count(lanes, lane, items);
      options.onStored(lane, items);
    }
  }

  return {
    id,
    lastOrder: () => lastOrder,
    append(entries, position) {
      let isUrgent = false;
      for (const entry of entries) {
        let records = pending.get(entry.lane);
        if (!records) {
          records = [];
          pending.set(entry.lane, records);
        }
        const { bytes } = addToRecords(records, entry, ++lastOrder);
        isUrgent ||= holdFullBatch(records);
        totalItems += 1;
        totalBytes += bytes;
      }
      if (position) {
        const { shardId, session } = position;
        const known = positions.get(shardId) ?? sessions.get(shardId);
        // Of a session that stands nowhere yet, a crash would leave no trace.
        isUrgent ||= known?.sessionId !== session.sessionId;
        positions.set(shardId, session);
      }
      if (isUrgent) {
        commit();
      } else {
        schedule(true);
      }
    },
    advance({ shardId, session }) {
      positions.set(shardId, session);
      schedule(false);
    },
    sessions: () => sessions,
    lanes: () => lanes,
    async read(lane, afterOrder, atLeast) {
      const read: SpooledItem[] = [];
      const from = Math.max(afterOrder, lanes.get(lane)?.removedTo ?? 0);
      for await (const [key, value] of level.iterator(recordRange(lane, from))) {
        read.push(...decodeRecord(key, value).items.filter(({ order }) => order > from));
        if (read.length >= atLeast) break;
      }
      return read;
    },
    remove(lane, items) {
      const lastRemoved = items.at(-1)?.order ?? 0;
      for (const record of new Set(items.map((item) => item.record))) {
        const rest = record.items.filter(({ order }) => order > lastRemoved);
        const key = recordKey(record);
        removals.set(key, rest.length === 0 ? { type: "del", key } : put(key, encodeRecord(rest)));
      }
      schedule(true);
      const bytes = items.reduce((total, item) => total + item.bytes, 0);
      totalItems -= items.length;
      totalBytes -= bytes;
      const depth = lanes.get(lane);
      if (depth) {
        depth.items -= items.length;
        depth.bytes -= bytes;
        depth.removedTo = lastRemoved;
        depth.oldestAtMs = items.at(-1)?.receivedAtMs ?? depth.oldestAtMs;
        if (depth.items === 0) {
          lanes.delete(lane);
        }
      }
    },
    depth() {
      const oldest = [...lanes.values()].map((lane) => lane.oldestAtMs);
      return {
        items: totalItems,
        bytes: totalBytes,
        oldestAtMs: oldest.length > 0 ? oldest.reduce((a, b) => Math.min(a, b)) : firstReceivedAtMs(pending),
      };
    },
    isFull: () => totalItems >= options.maxItems || totalBytes >= options.maxBytes,
    async flush() {
      commit();
      await commits;
    },
    async close() {
      commit();
      await commits;
      await level.close();
    },
  };
}

async function openLevel(location: string): Promise<ClassicLevel<string, string>> {
  try {
    await mkdir(dirname(location), { recursive: true });
    // People's words lie in there, and the files themselves have no mode of their own.
    await mkdir(location, { recursive: true, mode: 0o700 });
    const level = new ClassicLevel<string, string>(location);
    await level.open();
    return level;
  } catch (cause) {
    throw openError(location, cause);
  }
}

function openError(location: string, cause: unknown): GatewayWorkerError {
  const code = cause instanceof Error && cause.cause instanceof Error && "code" in cause.cause ? cause.cause.code : "";
  if (code === "LEVEL_LOCKED") {
    return new GatewayWorkerError(
      "spool_locked",
      `The spool in ${location} is in use by another worker. Stop it, or give this one its own spoolDirectory.`,
      { cause },
    );
  }
  if (code === "LEVEL_CORRUPTION") {
    return new GatewayWorkerError(
      "spool_corrupt",
      `The spool in ${location} is damaged. Keep a copy of the directory, move it away and start again; packets in it may be missing.`,
      { cause },
    );
  }
  return new GatewayWorkerError(
    "spool_failed",
    `The spool in ${location} could not be opened: ${reasonOf(cause)}. Check that the directory can be made and written.`,
    { cause },
  );
}

function reasonOf(cause: unknown): string {
  const within = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  return within instanceof Error ? within.message : String(within);
}

async function idOf(level: ClassicLevel<string, string>): Promise<string> {
  const known = await level.get(ID_KEY);
  const id = known ?? randomUUID();
  if (known === undefined) {
    await level.put(ID_KEY, id, { sync: true });
  }
  return id;
}

async function load(
  level: ClassicLevel<string, string>,
  lanes: Map<string, MutableDepth>,
  sessions: Map<number, StoredSession>,
): Promise<number> {
  const format = await level.get(FORMAT_KEY);
  if (format !== undefined && format !== FORMAT && !(format === FORMAT_OF_SINGLE_ITEMS && (await isEmpty(level)))) {
    await level.close();
    throw new GatewayWorkerError(
      "spool_corrupt",
      `The spool has format ${format}, this version reads format ${FORMAT}. Let the version that wrote it empty it first.`,
    );
  }
  await level.put(FORMAT_KEY, FORMAT);
  for await (const [key, value] of level.iterator({ gte: SESSION_PREFIX, lt: `${SESSION_PREFIX}${KEY_END}` })) {
    sessions.set(Number(key.slice(SESSION_PREFIX.length)), JSON.parse(value) as StoredSession);
  }
  let lastOrder = 0;
  for await (const [key, value] of level.iterator({ gte: RECORD_PREFIX, lt: `${RECORD_PREFIX}${KEY_END}` })) {
    const { items } = decodeRecord(key, value);
    for (const { lane, order } of items.slice(-1)) {
      lastOrder = Math.max(lastOrder, order);
      count(lanes, lane, items);
    }
  }
  return lastOrder;
}

async function isEmpty(level: ClassicLevel<string, string>): Promise<boolean> {
  const range = { gte: RECORD_PREFIX, lt: `${RECORD_PREFIX}${KEY_END}`, limit: 1 };
  return (await level.keys(range).all()).length === 0;
}

type Operation =
  | { readonly type: "put"; readonly key: string; readonly value: string }
  | { readonly type: "del"; readonly key: string };

function put(key: string, value: string): Operation {
  return { type: "put", key, value };
}

function firstReceivedAtMs(pending: ReadonlyMap<string, readonly SpoolRecord[]>): number | null {
  for (const [record] of pending.values()) {
    return record?.items[0]?.receivedAtMs ?? null;
  }
  return null;
}

function count(lanes: Map<string, MutableDepth>, lane: string, items: readonly SpooledItem[]): void {
  const first = items[0];
  if (!first) {
    return;
  }
  const bytes = items.reduce((total, item) => total + item.bytes, 0);
  const depth = lanes.get(lane);
  if (depth) {
    depth.items += items.length;
    depth.bytes += bytes;
  } else {
    lanes.set(lane, { items: items.length, bytes, oldestAtMs: first.receivedAtMs, removedTo: first.order - 1 });
  }
}

function sum(lanes: ReadonlyMap<string, LaneDepth>, field: "items" | "bytes"): number {
  return [...lanes.values()].reduce((total, lane) => total + lane[field], 0);
}
