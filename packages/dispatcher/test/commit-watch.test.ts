import { expect, it } from "vitest";
import { createCommitWatch } from "../src/commit-watch.js";
import { createVirtualClock } from "../src/testing/virtual-clock.js";

function openWatch(pollMs: number) {
  const clock = createVirtualClock(0);
  const looks: { readonly atMs: number; readonly sinceMs: number }[] = [];
  const watch = createCommitWatch({ clock, pollMs, look: (sinceMs) => looks.push({ atMs: clock.now(), sinceMs }) });
  return { clock, looks, watch };
}

it("lets one transaction in five milliseconds notify", () => {
  const { clock, watch } = openWatch(1_000);
  expect([watch.mayNotify(), watch.mayNotify()]).toEqual([true, false]);
  clock.advance(4);
  expect(watch.mayNotify()).toBe(false);
  clock.advance(1);
  expect(watch.mayNotify()).toBe(true);
});

it("looks for the others soon, then ever more seldom, until the poll takes over", () => {
  const { clock, looks, watch } = openWatch(20);
  watch.watch(0);
  clock.advance(1_000);
  expect(looks).toEqual([
    { atMs: 4, sinceMs: 0 },
    { atMs: 24, sinceMs: 0 },
    { atMs: 44, sinceMs: 0 },
  ]);
  expect(clock.nextTimerAtMs).toBeNull();
});

it("looks every 20 ms at most, however much it watches", () => {
  const { clock, looks, watch } = openWatch(1_000);
  for (; clock.now() < 1_000; clock.advance(1)) watch.watch(clock.now());
  expect(looks.length).toBeLessThanOrEqual(50);
  expect(looks.length).toBeGreaterThan(40);
});

it("looks once for all that were published since the last look, as far back as the first of them", () => {
  const { clock, looks, watch } = openWatch(4);
  watch.watch(0);
  clock.advance(3);
  watch.watch(3);
  clock.advance(1);
  watch.watch(4);
  clock.advance(20);
  expect(looks).toEqual([
    { atMs: 4, sinceMs: 0 },
    { atMs: 24, sinceMs: 4 },
  ]);
});
