import type { Clock } from "@hookline/core";
import { describe, expect, test } from "vitest";
import { createIdentifyThrottle } from "../../src/gateway/identify-throttle.js";

/** A clock on which each wait is over at once, and counted. */
function createSkippingClock(): Clock & { waitedMs(): number } {
  let nowMs = 0;
  let waitedMs = 0;
  return {
    now: () => nowMs,
    waitedMs: () => waitedMs,
    setTimer(callback, delayMs) {
      nowMs += delayMs;
      waitedMs += delayMs;
      queueMicrotask(callback);
      return () => {};
    },
  };
}

describe("identify throttle", () => {
  test("H9 lets the first IDENTIFYs pass, then spaces them out", async () => {
    const clock = createSkippingClock();
    const throttle = createIdentifyThrottle(clock);
    const signal = new AbortController().signal;
    for (let count = 0; count < 6; count += 1) {
      await throttle.wait(signal);
    }
    expect(clock.waitedMs()).toBe(0);
    await throttle.wait(signal);
    expect(clock.waitedMs()).toBe(60_000);
  });

  test("H9 stays far below Discord's 1,000 a day even if every IDENTIFY fails", async () => {
    const clock = createSkippingClock();
    const throttle = createIdentifyThrottle(clock);
    const signal = new AbortController().signal;
    let count = 0;
    while (clock.now() < 24 * 3_600_000) {
      await throttle.wait(signal);
      count += 1;
    }
    expect(count).toBeGreaterThan(24);
    expect(count).toBeLessThan(600);
  });

  test("gives up waiting when the connection is gone", async () => {
    const throttle = createIdentifyThrottle({ now: () => 0, setTimer: () => () => {} });
    const open = new AbortController();
    for (let count = 0; count < 6; count += 1) {
      await throttle.wait(open.signal);
    }
    const controller = new AbortController();
    const waiting = throttle.wait(controller.signal);
    controller.abort(new Error("closed"));
    await expect(waiting).rejects.toThrow("closed");
  });
});
