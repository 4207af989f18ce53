import { expect, it } from "vitest";
import type { Job } from "../src/job.js";
import { createLanes } from "../src/lanes.js";
import { createStoredEvent } from "../src/stored-event.js";

function job(deliveryId: string, bytes: number): Job {
  const fields = { id: deliveryId, type: "a.b", timestamp: "2030-01-01T00:00:00.000Z", tenantId: "t", subjectId: null };
  return {
    deliveryId,
    tenantId: "t",
    event: createStoredEvent({ ...fields, dataText: "x".repeat(bytes) }),
    recipient: { kind: "endpoint", endpointId: deliveryId, version: 1 },
    leaseNo: 1,
    leasedUntilMs: 0,
    attempts: 0,
    firstAttempt: 0,
    deadlineMs: null,
  };
}

it("takes no more in while what waits is too large together, and takes more when it is not", async () => {
  const ends: (() => void)[] = [];
  const lanes = createLanes({
    maxInFlight: 4,
    maxInFlightPerLane: 4,
    maxWaiting: 100,
    maxWaitingPerLane: 100,
    maxWaitingBytes: 1_000,
    run: () => new Promise((resolve) => ends.push(resolve)),
    onFree: () => {},
  });
  // What is in flight does not wait.
  for (const id of ["a", "b", "c", "d"]) expect(lanes.offer(job(id, 5_000))).toBe(true);
  expect(lanes.offer(job("e", 600))).toBe(true);
  expect(lanes.room()).toBe(99);
  expect(lanes.offer(job("f", 600))).toBe(true);
  expect(lanes.room()).toBe(0);
  expect(lanes.offer(job("g", 1))).toBe(false);
  expect(lanes.withdraw(({ deliveryId }) => deliveryId === "f")).toHaveLength(1);
  expect(lanes.room()).toBe(99);
  expect(lanes.offer(job("h", 600))).toBe(true);
  expect(lanes.room()).toBe(0);
  ends[0]?.();
  await expect.poll(() => lanes.room()).toBe(99);
  expect(lanes.offer(job("i", 1))).toBe(true);
});
