import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const folder = fileURLToPath(new URL("..", import.meta.url));

describeMatrix({ describe, beforeAll, afterAll }, ["postgres"], (databases) => {
  it("N1 the example stores and sends what Drizzle committed, and nothing of what it rolled back", async () => {
    const { url } = await databases.open();
    const env = { ...process.env, DATABASE_URL: url };
    const { stdout } = await promisify(execFile)("node", ["dist/main.js"], { cwd: folder, env });
    expect(stdout.split("\n")).toEqual([
      "order 1 is refused: no credit",
      'stored [{"id":2,"total":42}]',
      expect.stringMatching(/^received verified {"type":"order.placed",.*"data":{"id":2,"total":42}}$/),
      "",
    ]);
  });
});
