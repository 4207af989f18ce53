import { CONDITION_OPERATORS, type Condition } from "@hookline/core";
import sift from "sift";

/** Nothing else runs, whatever a stored condition holds. */
const OPERATIONS = Object.fromEntries(CONDITION_OPERATORS.map((name) => [name, sift[name]]));

/** What a condition that was checked says of an event's data. */
export function compileCondition(condition: Condition): (data: unknown) => boolean {
  const test = sift.createQueryTester<unknown>(condition, { operations: OPERATIONS });
  return (data) => test(data);
}
