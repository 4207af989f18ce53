import type { FieldIssue } from "./errors.js";
import { type FieldsOf, unknownFields } from "./unknown-fields.js";

/** When a failed delivery is tried again. */
export interface RetrySchedule {
  /** After the first failed attempt, after the second …; when they are used up the delivery is dead. */
  readonly delaysMs: readonly number[];
  /** How much of a delay is left to chance: 0.2 spreads it over ±10 %. Default 0.2. */
  readonly jitterRatio?: number;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/**
 * The schedule that Standard Webhooks recommends: ten attempts over 75 hours.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#deliverability-and-reliability
 */
export const RETRY_SCHEDULE: RetrySchedule = {
  delaysMs: [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR],
};

/**
 * How long to wait after a failed attempt; null when it was the last.
 *
 * @param failed how many attempts have failed, at least 1
 * @param random from 0 to 1
 */
export function retryDelayMs(schedule: RetrySchedule, failed: number, random: () => number): number | null {
  const delay = schedule.delaysMs[failed - 1];
  if (delay === undefined) return null;
  const jitter = schedule.jitterRatio ?? 0.2;
  return Math.round(delay * (1 + jitter * (random() - 0.5)));
}

/** What is wrong with a schedule that a caller gave. */
export function scheduleIssues(schedule: RetrySchedule): readonly FieldIssue[] {
  const { delaysMs, jitterRatio = 0 } = schedule;
  const isDelay = (delay: unknown) => typeof delay === "number" && delay >= 0 && delay <= MAX_DELAY_MS;
  if (!(Array.isArray(delaysMs) && delaysMs.length <= MAX_DELAYS && delaysMs.every(isDelay))) {
    return [{ path: "delaysMs", message: `are ${MAX_DELAYS} numbers at most, from 0 to ${MAX_DELAY_MS}` }];
  }
  if (!(jitterRatio >= 0 && jitterRatio <= 1)) return [{ path: "jitterRatio", message: "is a number from 0 to 1" }];
  return unknownFields(schedule, FIELDS);
}

const FIELDS: FieldsOf<RetrySchedule> = { delaysMs: true, jitterRatio: true };
const MAX_DELAYS = 1_000;
const MAX_DELAY_MS = 30 * 24 * HOUR;

/** Whether so many failed attempts are all that there are. */
export function isUsedUp(schedule: RetrySchedule, failed: number, maxAttempts = Number.POSITIVE_INFINITY): boolean {
  return failed >= Math.min(maxAttempts, schedule.delaysMs.length + 1);
}

/**
 * What a `Retry-After` header asks for, in milliseconds from now; undefined when it says nothing that can be read.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function parseRetryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  if (/^\d{1,10}$/.test(text)) return Number(text) * SECOND;
  // Only dates as HTTP writes them: Date.parse also reads "-1" as a year.
  if (!/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text)) return undefined;
  // The oldest of its three forms names no zone, which Date.parse takes for this machine's own.
  const at = Date.parse(/[: ]\d+$/.test(text) ? `${text} GMT` : text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
