import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import ts from "typescript";
import { expect, test } from "vitest";
import { createDeadLetters, type DeadLetter } from "../../src/gateway/dead-letters.js";
import { temporaryDirectory } from "./support/temporary-directory.js";

const letter = (order: number) => ({
  item: {
    order,
    lane: "1",
    key: `key-${order}`,
    json: JSON.stringify({ order, text: "x".repeat(500) }),
    receivedAtMs: 1,
    bytes: 1,
  },
  code: "invalid_payload",
  message: "no",
});

const source = fileURLToPath(new URL("../../src/gateway/dead-letters.ts", import.meta.url));

/** In a process whose files may not become longer than one or two blocks, as on a disk that is nearly full. */
async function appendOnFullDisk(letters: readonly DeadLetter[]): Promise<unknown> {
  const directory = await temporaryDirectory();
  const { outputText } = ts.transpileModule(await readFile(source, "utf8"), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  await writeFile(join(directory, "dead-letters.mjs"), outputText);
  await writeFile(
    join(directory, "main.mjs"),
    `import { createDeadLetters } from "./dead-letters.mjs";
     const deadLetters = createDeadLetters(process.argv[2], () => 0);
     const failed = await deadLetters.append(JSON.parse(process.argv[3])).then(() => null, ({ code }) => code);
     console.log(JSON.stringify({ failed, count: deadLetters.count() }));`,
  );
  const { stdout } = await promisify(execFile)("sh", [
    "-c",
    'ulimit -f 1 && exec "$0" "$@"',
    process.execPath,
    join(directory, "main.mjs"),
    join(directory, "dead-letters.jsonl"),
    JSON.stringify(letters),
  ]);
  return JSON.parse(stdout);
}

test("writes a line for each packet, with its reason", async () => {
  const deadLetters = createDeadLetters(join(await temporaryDirectory(), "dead-letters.jsonl"), () => 0);
  await deadLetters.append([letter(1), letter(2)]);
  const lines = (await readFile(deadLetters.file, "utf8")).trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { at: "1970-01-01T00:00:00.000Z", code: "invalid_payload", lane: "1", item: { order: 1 } },
    { item: { order: 2 } },
  ]);
  expect(deadLetters.count()).toBe(2);
});

test.runIf(process.platform === "linux")(
  "N2 fails where a disk takes a part only, so that the packets stay (needs Linux)",
  async () => {
    expect(await appendOnFullDisk([letter(1), letter(2), letter(3)])).toEqual({ failed: "EFBIG", count: 0 });
  },
);
