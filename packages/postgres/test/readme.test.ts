import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const folder = new URL("../", import.meta.url);

it("the README's example runs as it stands", async () => {
  const readme = await readFile(new URL("README.md", folder), "utf8");
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  const program = example.replace('"@hookline/postgres"', '"./dist/index.js"');
  const options = { cwd: fileURLToPath(folder) };
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], options);
  expect(stdout).toBe("order 1 is stored\n[ { id: 1, total: 4200 } ]\n");
}, 120_000);

it("the README names every error code, and no other", async () => {
  const readme = await readFile(new URL("README.md", folder), "utf8");
  const errors = await readFile(new URL("src/errors.ts", folder), "utf8");
  const declared = [...errors.matchAll(/^ {2}\| "(\w+)"/gm)].map(([, code]) => code);
  const table = readme.slice(readme.indexOf("## Errors"), readme.indexOf("## In your own tests"));
  const described = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, code]) => code);
  expect(declared.length).toBeGreaterThan(10);
  expect(described.sort()).toEqual(declared.sort());
});
