// Ends a vitest run with what was skipped and why, and with one plain line: `812 passed, 0 failed`.
export default class ClosingLineReporter {
  /** @param {ReadonlyArray<import("vitest/node").TestModule>} modules
   *  @param {ReadonlyArray<unknown>} unhandledErrors */
  onTestRunEnd(modules, unhandledErrors) {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    const skips = new Map();
    for (const module of modules) {
      let failedInside = 0;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === "passed") count.passed += 1;
        else if (result.state === "skipped") {
          count.skipped += 1;
          const reason = reasonOf(test, result);
          skips.set(reason, (skips.get(reason) ?? 0) + 1);
        } else failedInside += 1;
      }
      // A file that could not be loaded, or whose hook failed, has no failed test to count.
      count.failed += module.state() === "failed" ? Math.max(1, failedInside) : failedInside;
    }
    for (const [reason, tests] of skips) console.log(`skipped: ${tests} (${reason})`);
    if (process.env.CI === "true" && count.skipped > 0) {
      console.log("CI has to have what these tests need: what was skipped counts as failed.");
      count.failed += count.skipped;
      count.skipped = 0;
      process.exitCode = 1;
    }
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : "";
    console.log(`${count.passed} passed, ${count.failed} failed${skipped}`);
  }
}

/** A suite that may be skipped says why in its title: `(skipped: no Redis)`, or always `(needs Redis)`. */
function reasonOf(test, { note }) {
  const [, needs, reason] = /\((skipped: |needs )(.+?)\)(?: >|$)/.exec(test.fullName) ?? [];
  if (reason !== undefined) return needs === "needs " ? `needs ${reason}` : reason;
  return note ?? test.fullName;
}
