import { expect, it } from "vitest";
import { countCharacters } from "../src/index.js";

it.each([
  ["abc", 5],
  [["a", "b"], 10],
  [{ a: "b" }, 10],
  [null, 4],
])("counts about as many characters as %j has as JSON", (value, characters) => {
  expect(countCharacters(value, 100)).toBe(characters);
});

it("stops counting what holds itself once it is too much", () => {
  const list: unknown[] = [];
  list.push(list, list);
  expect(countCharacters(list, 1_000)).toBeGreaterThan(1_000);
});
