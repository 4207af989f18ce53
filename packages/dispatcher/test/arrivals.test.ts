import { expect, it } from "vitest";
import { createArrivals } from "../src/arrivals.js";
import type { Job } from "../src/job.js";

const job = (deliveryId: string) => ({ deliveryId }) as Job;
const turn = () => new Promise((resolve) => setImmediate(resolve));

it("takes jobs after what was put off beside them, those of one moment together", async () => {
  const seen: string[] = [];
  const arrivals = createArrivals((jobs) => void seen.push(jobs.map(({ deliveryId }) => deliveryId).join("+")));
  arrivals.add([job("a"), job("b")]);
  setImmediate(() => seen.push("the next insert"));
  arrivals.add([job("c")]);
  expect([seen, arrivals.size]).toEqual([[], 3]);
  while (arrivals.size > 0) await turn();
  expect(seen).toEqual(["the next insert", "a+b+c"]);
});

it("takes everything at once when asked to, and nothing twice", async () => {
  const seen: number[] = [];
  const arrivals = createArrivals((jobs) => void seen.push(jobs.length));
  arrivals.add([job("a"), job("b")]);
  arrivals.flush();
  expect([seen, arrivals.size]).toEqual([[2], 0]);
  for (let n = 0; n < 3; n += 1) await turn();
  arrivals.flush();
  expect(seen).toEqual([2]);
  arrivals.add([job("c")]);
  while (arrivals.size > 0) await turn();
  expect(seen).toEqual([2, 1]);
});

it("takes one job by itself at once, and in its place behind others", async () => {
  const seen: string[] = [];
  const arrivals = createArrivals((jobs) => void seen.push(jobs.map(({ deliveryId }) => deliveryId).join("+")));
  arrivals.add([job("a")]);
  expect([seen, arrivals.size]).toEqual([["a"], 0]);
  arrivals.add([job("b"), job("c")]);
  arrivals.add([job("d")]);
  expect(seen).toEqual(["a"]);
  while (arrivals.size > 0) await turn();
  expect(seen).toEqual(["a", "b+c+d"]);
});
