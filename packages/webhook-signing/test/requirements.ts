import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { TestContext } from "vitest";

export const run = promisify(execFile);

/**
 * Skips a test for want of something that a machine may lack, and says what. With CI=true that is a failure.
 */
export function skipWithout(context: TestContext, what: string): never {
  if (process.env.CI === "true") throw new Error(`CI has to have it: ${what}`);
  console.warn(`Skipped "${context.task.name}": ${what}`);
  return context.skip(what);
}
