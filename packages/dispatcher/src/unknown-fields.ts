import type { FieldIssue } from "./errors.js";

/** The names of an object's fields, typed so that none can be forgotten. */
export type FieldsOf<Value> = Readonly<Record<keyof Value, true>>;

const NONE: readonly FieldIssue[] = [];

/** One for each field that is not among those that are known, such as one whose name is misspelt. */
export function unknownFields(given: object, known: Readonly<Record<string, true>>, root = ""): readonly FieldIssue[] {
  // Asked for each event: without a new list where all is well.
  let issues = NONE;
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(known, name)) continue;
    issues = [...issues, { path: root === "" ? name : `${root}.${name}`, message: "is not known" }];
  }
  return issues;
}
