import { CONDITION_OPERATORS, type Condition, countOperations } from "@hookline/core";
import sift from "sift";

/** Nothing else runs, whatever a stored condition holds. */
const OPERATIONS = Object.fromEntries(CONDITION_OPERATORS.map((name) => [name, sift[name]]));

/** Whether the subject meets a condition that was checked. Throws when to judge it takes too many steps. */
export function meets(condition: Condition | undefined, subject: object): boolean {
  if (condition === undefined) return true;
  const { begin, ...options } = countOperations(OPERATIONS);
  begin();
  return sift.createQueryTester<object>(condition, options)(subject);
}
