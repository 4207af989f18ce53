import type { SpooledItem } from "./spool-record.js";

/** Packets that have to reach the API in order: one guild's. At most one request of a lane is on its way. */
export interface Lane {
  readonly name: string;
  /** The oldest unsent packets, without a hole. Later ones may be on disk only. */
  loaded: readonly SpooledItem[];
  /** The order of the last packet that was loaded. */
  cursor: number;
  /** `parked`: another worker may hold the shard; it goes on once that is known. */
  phase: "idle" | "ready" | "sending" | "waiting" | "parked";
  /** Requests in a row that failed. */
  failures: number;
  /** Halved to single out a packet that spoils its batch, doubled by success. */
  batchLimit: number;
  cancelWait: (() => void) | null;
  /** The API has said how long to wait. */
  waitIsAsked: boolean;
}

export function createLane(name: string, batchLimit: number): Lane {
  return { name, loaded: [], cursor: 0, phase: "idle", failures: 0, batchLimit, cancelWait: null, waitIsAsked: false };
}

/** As many of the oldest packets as fit and belong together, and always one. */
export function takeBatch(
  lane: Lane,
  maxBytes: number,
  belongs: (item: SpooledItem) => boolean,
): readonly SpooledItem[] {
  let bytes = 0;
  let length = 0;
  for (const item of lane.loaded.slice(0, lane.batchLimit)) {
    bytes += item.bytes + 1;
    if (length > 0 && (bytes > maxBytes || !belongs(item))) {
      break;
    }
    length += 1;
  }
  return lane.loaded.slice(0, length);
}

export function bytesOf(batch: readonly SpooledItem[]): number {
  return batch.reduce((total, item) => total + item.bytes + 1, 0);
}
