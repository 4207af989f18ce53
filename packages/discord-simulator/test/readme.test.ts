import { execFile } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const run = promisify(execFile);

it("N6 the example of the README runs as it stands", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const example = /```js\n([\s\S]+?)```/.exec(readme)?.[1] ?? "";
  const file = fileURLToPath(new URL(`./.readme-example-${process.pid}.mjs`, import.meta.url));
  await writeFile(file, example);
  try {
    const { stdout } = await run(process.execPath, [file], { timeout: 25_000 });
    expect(stdout).toBe("Hookline answered in general\n");
  } finally {
    await rm(file);
  }
});
