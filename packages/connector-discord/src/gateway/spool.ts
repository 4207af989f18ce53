import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Clock } from "@hookline/core";
import { ClassicLevel } from "classic-level";
import type { StoredSession } from "../stored-session.js";
import { GatewayWorkerError } from "./errors.js";

/** One packet on its way into the spool. */
export interface SpoolEntry {
  /** What has to stay in order among itself: a guild's id, or a word of ours. */
  readonly lane: string;
  /** The transport's own key, as in the ingress contract. */
  readonly key: string;
  /** The ingress item as JSON text: what is sent is what was stored. */
  readonly json: string;
  readonly receivedAtMs: number;
}

/** One packet that is safe on disk. `order` grows with each packet of the spool. */
export interface SpooledItem extends SpoolEntry {
  readonly order: number;
  readonly bytes: number;
}

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
  /** Queues packets, and the session's position behind them if they have one, for the next group that is synced. */
  append(entries: readonly SpoolEntry[], position: { shardId: number; session: StoredSession } | null): void;
  /** Queues a position that no packet of ours stands for; it is written with the next group, at the latest in a second. */
  advance(position: { shardId: number; session: StoredSession }): void;
  /** What a restart would resume from. */
  sessions(): ReadonlyMap<number, StoredSession>;
  lanes(): ReadonlyMap<string, LaneDepth>;
  /** Items of a lane behind `afterOrder`, oldest first. */
  read(lane: string, afterOrder: number, limit: number): Promise<readonly SpooledItem[]>;
  /** Forgets items that the API has answered for; not synced, since sending twice is harmless and losing is not. */
  remove(lane: string, items: readonly SpooledItem[]): Promise<void>;
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
  readonly clock: Clock;
  /** Called synchronously after each group, lane by lane, in order. */
  readonly onStored: (lane: string, items: readonly SpooledItem[]) => void;
  /** The disk refuses: nothing can be kept any more, so nothing may be accepted any more. */
  readonly onFailure: (error: GatewayWorkerError) => void;
}

/** Packets that arrive within this time share one sync of the disk. */
const GATHER_MS = 15;
const POSITION_DELAY_MS = 1_000;
const FORMAT = "1";
const FORMAT_KEY = "format";
const ID_KEY = "id";
const ITEM_PREFIX = "i!";
const SESSION_PREFIX = "s!";
/** Sorts behind every digit and every `!`. */
const END = "~";

interface MutableDepth {
  items: number;
  bytes: number;
  oldestAtMs: number;
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

  let pending: SpooledItem[] = [];
  let positions = new Map<number, StoredSession>();
  let cancelTimer: (() => void) | null = null;
  let timerIsSoon = false;
  let commits: Promise<void> = Promise.resolve();
  let failed = false;
  let totalItems = sum(lanes, "items");
  let totalBytes = sum(lanes, "bytes");

  function schedule(soon: boolean): void {
    if (failed || (cancelTimer && (timerIsSoon || !soon))) {
      return;
    }
    cancelTimer?.();
    timerIsSoon = soon;
    cancelTimer = options.clock.setTimer(commit, soon ? GATHER_MS : POSITION_DELAY_MS);
  }

  function commit(): void {
    cancelTimer?.();
    cancelTimer = null;
    commits = commits.then(writeGroup);
  }

  async function writeGroup(): Promise<void> {
    if (failed || (pending.length === 0 && positions.size === 0)) {
      return;
    }
    const group = { items: pending, positions };
    pending = [];
    positions = new Map();
    try {
      await level.batch(
        [
          ...group.items.map((item) => put(itemKey(item.lane, item.order), encode(item))),
          ...[...group.positions].map(([shardId, session]) =>
            put(`${SESSION_PREFIX}${shardId}`, JSON.stringify(session)),
          ),
        ],
        { sync: group.items.length > 0 },
      );
    } catch (cause) {
      failed = true;
      options.onFailure(
        new GatewayWorkerError(
          "spool_failed",
          `The spool in ${options.directory} could not be written. Check free space and permissions; what Discord sent since then is asked for again after the restart.`,
          { cause },
        ),
      );
      return;
    }
    for (const [shardId, session] of group.positions) {
      sessions.set(shardId, session);
    }
    for (const [lane, items] of byLane(group.items)) {
      count(lanes, lane, items);
      options.onStored(lane, items);
    }
  }

  return {
    id,
    lastOrder: () => lastOrder,
    append(entries, position) {
      for (const entry of entries) {
        const item = { ...entry, order: ++lastOrder, bytes: Buffer.byteLength(entry.json) };
        pending.push(item);
        totalItems += 1;
        totalBytes += item.bytes;
      }
      if (position) {
        positions.set(position.shardId, position.session);
      }
      schedule(true);
    },
    advance({ shardId, session }) {
      positions.set(shardId, session);
      schedule(false);
    },
    sessions: () => sessions,
    lanes: () => lanes,
    async read(lane, afterOrder, limit) {
      const range = { gt: itemKey(lane, afterOrder), lt: `${ITEM_PREFIX}${lane}!${END}`, limit };
      return (await level.iterator(range).all()).map(([key, value]) => decode(key, value));
    },
    async remove(lane, items) {
      await level.batch(items.map((item) => ({ type: "del" as const, key: itemKey(lane, item.order) })));
      const bytes = items.reduce((total, item) => total + item.bytes, 0);
      totalItems -= items.length;
      totalBytes -= bytes;
      const depth = lanes.get(lane);
      if (depth) {
        depth.items -= items.length;
        depth.bytes -= bytes;
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
        oldestAtMs: oldest.length > 0 ? oldest.reduce((a, b) => Math.min(a, b)) : (pending[0]?.receivedAtMs ?? null),
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
  const level = new ClassicLevel<string, string>(location);
  try {
    await level.open();
  } catch (cause) {
    throw openError(location, cause);
  }
  return level;
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
    `The spool in ${location} could not be opened. Check that the directory can be made and written.`,
    { cause },
  );
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
  if (format !== undefined && format !== FORMAT) {
    await level.close();
    throw new GatewayWorkerError(
      "spool_corrupt",
      `The spool has format ${format}, this version reads format ${FORMAT}. Let the version that wrote it empty it first.`,
    );
  }
  await level.put(FORMAT_KEY, FORMAT);
  for await (const [key, value] of level.iterator({ gte: SESSION_PREFIX, lt: `${SESSION_PREFIX}${END}` })) {
    sessions.set(Number(key.slice(SESSION_PREFIX.length)), JSON.parse(value) as StoredSession);
  }
  let lastOrder = 0;
  for await (const [key, value] of level.iterator({ gte: ITEM_PREFIX, lt: `${ITEM_PREFIX}${END}` })) {
    const item = decode(key, value);
    lastOrder = Math.max(lastOrder, item.order);
    count(lanes, item.lane, [item]);
  }
  return lastOrder;
}

function itemKey(lane: string, order: number): string {
  return `${ITEM_PREFIX}${lane}!${String(order).padStart(16, "0")}`;
}

function put(key: string, value: string): { type: "put"; key: string; value: string } {
  return { type: "put", key, value };
}

/** Two short lines before the JSON, so that a backlog is sent without being parsed. */
function encode(item: SpooledItem): string {
  return `${item.receivedAtMs}\n${item.key}\n${item.json}`;
}

function decode(levelKey: string, value: string): SpooledItem {
  const laneEnd = levelKey.lastIndexOf("!");
  const firstLine = value.indexOf("\n");
  const secondLine = value.indexOf("\n", firstLine + 1);
  const json = value.slice(secondLine + 1);
  return {
    lane: levelKey.slice(ITEM_PREFIX.length, laneEnd),
    order: Number(levelKey.slice(laneEnd + 1)),
    receivedAtMs: Number(value.slice(0, firstLine)),
    key: value.slice(firstLine + 1, secondLine),
    json,
    bytes: Buffer.byteLength(json),
  };
}

function byLane(items: readonly SpooledItem[]): ReadonlyMap<string, readonly SpooledItem[]> {
  const lanes = new Map<string, SpooledItem[]>();
  for (const item of items) {
    const lane = lanes.get(item.lane);
    if (lane) {
      lane.push(item);
    } else {
      lanes.set(item.lane, [item]);
    }
  }
  return lanes;
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
    lanes.set(lane, { items: items.length, bytes, oldestAtMs: first.receivedAtMs });
  }
}

function sum(lanes: ReadonlyMap<string, LaneDepth>, field: "items" | "bytes"): number {
  return [...lanes.values()].reduce((total, lane) => total + lane[field], 0);
}
