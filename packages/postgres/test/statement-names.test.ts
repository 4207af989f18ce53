import { expect, it } from "vitest";
import { createStatementNames } from "../src/statement-names.js";

it("names a statement once it comes again and again, always the same", () => {
  const nameOf = createStatementNames();
  const names = Array.from({ length: 5 }, () => nameOf("select $1"));
  expect(names.slice(0, 2)).toEqual([undefined, undefined]);
  expect(new Set(names.slice(2))).toEqual(new Set([names[4]]));
  expect(names[4]).toMatch(/^hookline_[0-9a-f]{24}$/);
});

it("keeps the number of names bounded, whatever texts come", () => {
  const nameOf = createStatementNames();
  const names = new Set<string | undefined>();
  for (let text = 0; text < 5_000; text++) for (let turn = 0; turn < 4; turn++) names.add(nameOf(`select ${text}`));
  names.delete(undefined);
  expect(names.size).toBe(200);
});
