import { expect, it } from "vitest";
import { createSingleRuns } from "../src/single-runs.js";
import { until } from "./open-dispatcher.js";

/** Runs that end when they are told to. */
function openRuns() {
  const open: { readonly key: string; end(): void; fail(): void }[] = [];
  let idle = false;
  const start = createSingleRuns((key) =>
    idle
      ? null
      : new Promise<void>((resolve, reject) => {
          open.push({ key, end: resolve, fail: () => reject(new Error("no")) });
        }),
  );
  return { open, start, keys: () => open.map(({ key }) => key), rest: () => (idle = true) };
}

it("runs a key once more when somebody asked for it during the run, however often", async () => {
  const { open, start, keys } = openRuns();
  for (const key of ["a", "a", "b", "a"]) start(key);
  expect(keys()).toEqual(["a", "b"]);
  open[0]?.end();
  await until(() => open.length === 3);
  open[2]?.end();
  open[1]?.end();
  start("c");
  await until(() => open.length === 4);
  expect(keys()).toEqual(["a", "b", "a", "c"]);
});

it("runs it once more also after a run that failed, and not where there is nothing to do by then", async () => {
  const { open, start, keys, rest } = openRuns();
  start("a");
  start("a");
  open[0]?.fail();
  await until(() => open.length === 2);
  start("a");
  rest();
  open[1]?.end();
  await new Promise((resolve) => setImmediate(resolve));
  expect(keys()).toEqual(["a", "a"]);
});
