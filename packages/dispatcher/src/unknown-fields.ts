import type { FieldIssue } from "./errors.js";

/** The names of an object's fields, typed so that none can be forgotten. */
export type FieldsOf<Value> = Readonly<Record<keyof Value, true>>;

/** One for each field that is not among those that are known, such as one whose name is misspelt. */
export function unknownFields(given: object, known: Readonly<Record<string, true>>, root = ""): readonly FieldIssue[] {
  return Object.keys(given)
    .filter((name) => !Object.hasOwn(known, name))
    .map((name) => ({ path: root === "" ? name : `${root}.${name}`, message: "is not known" }));
}
