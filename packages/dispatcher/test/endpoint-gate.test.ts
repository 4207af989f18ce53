import { expect, it } from "vitest";
import { createEndpointGate } from "../src/endpoint-gate.js";
import type { Job } from "../src/job.js";
import { createVirtualClock } from "../src/testing.js";

const HEALTHY = { version: 1, isFailing: false, isOpen: false, untilMs: null };

function open() {
  const clock = createVirtualClock();
  const due: string[] = [];
  const gate = createEndpointGate({ clock, onDue: (endpointId) => due.push(endpointId) });
  /** As it was read while the probe of another delivery was under way: nothing gets through before its lease runs out. */
  const job = {
    recipient: { kind: "endpoint", endpointId: "ep_1", version: 1 },
    health: { isOpen: true, untilMs: clock.now() + 60_000 },
    isProbe: false,
  } as Job;
  return { clock, due, gate, job };
}

it("N5 lets an endpoint go at once when its probe has succeeded, whatever was read of it before", () => {
  const { clock, due, gate, job } = open();
  expect([gate.admits(job), gate.isBlocked("ep_1")]).toEqual([false, true]);
  gate.learn("ep_1", HEALTHY);
  expect(gate.isBlocked("ep_1")).toBe(false);
  clock.advance(60_000);
  expect(due).toEqual([]);
});

it("N5 looks again when the lease of a probe has run out that nobody tells of", () => {
  const { clock, due, gate, job } = open();
  gate.learn("ep_1", HEALTHY);
  expect(gate.admits(job)).toBe(false);
  clock.advance(60_000);
  expect(due).toEqual(["ep_1"]);
  expect(gate.isBlocked("ep_1")).toBe(false);
});
