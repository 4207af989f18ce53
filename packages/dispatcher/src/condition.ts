import { CONDITION_OPERATORS, type Condition, countOperations } from "@hookline/core";
import sift from "sift";

/** Nothing else runs, whatever a stored condition holds. */
const OPERATIONS = Object.fromEntries(CONDITION_OPERATORS.map((name) => [name, sift[name]]));

/** What a condition that was checked says of an event's data. Throws when to judge them takes too many steps. */
export function compileCondition(condition: Condition): (data: unknown) => boolean {
  const { begin, ...options } = countOperations(OPERATIONS);
  const test = sift.createQueryTester<unknown>(condition, options);
  return (data) => {
    begin();
    return test(data);
  };
}
