import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");

test("H9 each variable that the worker reads is in its README and in .env.example, and no other", () => {
  const names = [...read("../src/environment.ts").matchAll(/^ {2}([A-Z][A-Z_]+): z/gm)].flatMap(
    ([, name]) => name ?? [],
  );
  const table = read("../README.md").split("## Start, stop")[0] ?? "";
  const rows = table.split("\n").filter((line) => line.startsWith("| `"));
  const told = rows
    .flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`(\w+)`/g)])
    .flatMap(([, name]) => name ?? []);
  expect(names.length).toBeGreaterThan(10);
  expect(told.toSorted()).toEqual(names.toSorted());
  const example = read("../../../.env.example");
  expect(names.filter((name) => !new RegExp(`^${name}=`, "m").test(example))).toEqual([]);
});
