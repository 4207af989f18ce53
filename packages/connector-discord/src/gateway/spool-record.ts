import { INGRESS_LIMITS } from "../ingress-contract.js";

/** One packet on its way into the spool. */
export interface SpoolEntry {
  /** What has to stay in order among itself: a guild's id, or a word of ours. */
  readonly lane: string;
  /** The transport's own key, as in the ingress contract: without a space. */
  readonly key: string;
  /** The ingress item as JSON text in one line: what is sent is what was stored. */
  readonly json: string;
  readonly receivedAtMs: number;
}

/** One packet that is safe on disk. `order` grows with each packet of the spool. */
export interface SpooledItem extends SpoolEntry {
  readonly order: number;
  readonly bytes: number;
  readonly record: SpoolRecord;
}

/** Packets of one lane that came together and lie on the disk as one value; no more than one batch takes. */
export interface SpoolRecord {
  /** In order. */
  readonly items: SpooledItem[];
  bytes: number;
}

export const RECORD_PREFIX = "i!";
/** Sorts behind every digit and every `!`. */
export const KEY_END = "~";

/** A record of its own, or the last one that has room. */
export function addToRecords(records: SpoolRecord[], entry: SpoolEntry, order: number): SpooledItem {
  const { lane, key, json, receivedAtMs } = entry;
  const bytes = Buffer.byteLength(json);
  let record = records.at(-1);
  if (!record || isFull(record) || record.bytes + bytes + 1 > INGRESS_LIMITS.targetBodyBytes) {
    record = { items: [], bytes: 0 };
    records.push(record);
  }
  const item = { lane, key, json, receivedAtMs, order, bytes, record };
  record.items.push(item);
  record.bytes += bytes + 1;
  return item;
}

/** Whether there is a batch that nothing could be added to. */
export function holdFullBatch(records: readonly SpoolRecord[]): boolean {
  const [first] = records;
  return records.length > 1 || (first !== undefined && isFull(first));
}

function isFull({ items, bytes }: SpoolRecord): boolean {
  return items.length >= INGRESS_LIMITS.maxItems || bytes >= INGRESS_LIMITS.targetBodyBytes;
}

/** Named by its last packet, so that it keeps its name when the first ones leave it. */
export function recordKey({ items }: SpoolRecord): string {
  const last = items.at(-1);
  return `${lanePrefix(last?.lane ?? "")}${orderText(last?.order ?? 0)}`;
}

/** All records of a lane with packets behind `afterOrder`. */
export function recordRange(lane: string, afterOrder: number): { readonly gt: string; readonly lt: string } {
  return { gt: `${lanePrefix(lane)}${orderText(afterOrder)}`, lt: `${lanePrefix(lane)}${KEY_END}` };
}

function lanePrefix(lane: string): string {
  return `${RECORD_PREFIX}${lane}!`;
}

function orderText(order: number): string {
  return String(order).padStart(16, "0");
}

/** A line for each packet, so that a backlog is sent without being parsed. */
export function encodeRecord(items: readonly SpooledItem[]): string {
  return items.map(({ order, receivedAtMs, key, json }) => `${order} ${receivedAtMs} ${key} ${json}`).join("\n");
}

export function decodeRecord(levelKey: string, value: string): SpoolRecord {
  const lane = levelKey.slice(RECORD_PREFIX.length, levelKey.lastIndexOf("!"));
  const record: SpoolRecord = { items: [], bytes: 0 };
  for (const line of value.split("\n")) {
    const timeAt = line.indexOf(" ") + 1;
    const keyAt = line.indexOf(" ", timeAt) + 1;
    const jsonAt = line.indexOf(" ", keyAt) + 1;
    const json = line.slice(jsonAt);
    const bytes = Buffer.byteLength(json);
    record.bytes += bytes + 1;
    record.items.push({
      lane,
      key: line.slice(keyAt, jsonAt - 1),
      json,
      receivedAtMs: Number(line.slice(timeAt, keyAt - 1)),
      order: Number(line.slice(0, timeAt - 1)),
      bytes,
      record,
    });
  }
  return record;
}
