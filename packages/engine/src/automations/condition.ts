import sift from "sift";
import { isPlainObject } from "../storage/text.js";

/** Comparison, existence, arrays, and their combinations: nothing that runs code or a regular expression. */
const FIELD_OPERATORS: ReadonlySet<string> = new Set([
  "$eq",
  "$ne",
  "$gt",
  "$gte",
  "$lt",
  "$lte",
  "$in",
  "$nin",
  "$exists",
  "$all",
  "$size",
  "$elemMatch",
  "$not",
]);
// CommonJS: only its default can be imported by name.
const { $all, $and, $elemMatch, $eq, $exists, $gt, $gte, $in, $lt, $lte, $ne, $nin, $nor, $not, $or, $size } = sift;
const OPERATIONS = {
  $all,
  $and,
  $elemMatch,
  $eq,
  $exists,
  $gt,
  $gte,
  $in,
  $lt,
  $lte,
  $ne,
  $nin,
  $nor,
  $not,
  $or,
  $size,
};
const COMBINATIONS: ReadonlySet<string> = new Set(["$and", "$or", "$nor"]);
const MAX_DEPTH = 8;

/** What is wrong with a condition, with the path of each fault. */
export function* conditionIssues(condition: unknown, path: string, depth = 0): Generator<string> {
  if (depth > MAX_DEPTH) {
    yield `${path}: nested more than ${MAX_DEPTH} deep`;
    return;
  }
  if (!isPlainObject(condition)) {
    yield `${path}: an object such as { "data.priority": "high" }`;
    return;
  }
  for (const [key, value] of Object.entries(condition)) {
    const inner = `${path}.${key}`;
    if (COMBINATIONS.has(key)) {
      if (!Array.isArray(value) || value.length === 0) yield `${inner}: a list of conditions`;
      else for (const [at, one] of value.entries()) yield* conditionIssues(one, `${inner}.${at}`, depth + 1);
    } else if (key.startsWith("$") && !FIELD_OPERATORS.has(key)) {
      yield `${inner}: this operator is not allowed`;
    } else if (isPlainObject(value)) {
      yield* conditionIssues(value, inner, depth + 1);
    }
  }
}

/** Whether the subject meets a condition that {@link conditionIssues} found no fault in. */
export function meets(condition: Readonly<Record<string, unknown>> | undefined, subject: object): boolean {
  return condition === undefined || sift.createQueryTester<object>(condition, { operations: OPERATIONS })(subject);
}
