import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createDispatcher, RETRY_SCHEDULE } from "../src/index.js";
import { parseRetryAfterMs, retryDelayMs } from "../src/retry-schedule.js";

describe("retry schedule", () => {
  it("N4 is that of Standard Webhooks: ten attempts over 75 hours", () => {
    const totalMs = RETRY_SCHEDULE.delaysMs.reduce((sum, delay) => sum + delay, 0);
    expect(RETRY_SCHEDULE.delaysMs).toHaveLength(9);
    expect(totalMs / 3_600_000).toBeCloseTo(75.58, 1);
  });

  it("N4 spreads each delay by the jitter, evenly around it", () => {
    const schedule = { delaysMs: [1_000], jitterRatio: 0.5 };
    expect([0, 0.5, 1].map((random) => retryDelayMs(schedule, 1, () => random))).toEqual([750, 1_000, 1_250]);
    expect(retryDelayMs(schedule, 2, () => 0)).toBeNull();
    expect(retryDelayMs({ delaysMs: [1_000] }, 1, () => 0)).toBe(900);
  });

  it.each([
    ["5", 5_000],
    [" 0 ", 0],
    ["Fri, 01 Jan 2027 00:00:10 GMT", 10_000],
    ["Friday, 01-Jan-27 00:00:10 GMT", 10_000],
    ["Fri Jan  1 00:00:10 2027", 10_000],
    ["Thu, 31 Dec 2026 00:00:00 GMT", 0],
    ["-1", undefined],
    ["1.5", undefined],
    ["soon", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("N4 reads a Retry-After of %j as %j ms", (header, expected) => {
    vi.stubEnv("TZ", "America/New_York");
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(parseRetryAfterMs(header, Date.UTC(2027, 0, 1))).toBe(expected);
  });
});

describe("options", () => {
  // None of them gets as far as to use it.
  const transaction = () => Promise.reject(new Error("not here"));
  const database = { transaction } as unknown as Parameters<typeof createDispatcher>[0]["database"];
  const encryptionKey = Buffer.alloc(32).toString("base64");

  it.each([
    ["schema", { schema: 'a"; drop' }],
    ["timeoutMs", { timeoutMs: 0 }],
    ["leaseMs", { leaseMs: 20_000 }],
    ["maxInFlight", { maxInFlight: Number.NaN }],
    ["retrySchedule.delaysMs", { retrySchedule: { delaysMs: [-1] } }],
    ["addressGuard.allow", { addressGuard: { allow: ["everything"] } }],
  ])("refuses a %s that will not do", (path, wrong) => {
    expect(() => createDispatcher({ database, encryptionKey, ...wrong })).toThrow(
      expect.objectContaining({ code: "invalid_options", issues: [expect.objectContaining({ path })] }),
    );
  });
});
