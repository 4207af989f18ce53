import { CONDITION_OPERATORS, type Condition } from "@hookline/core";
import sift from "sift";

/** Nothing else runs, whatever a stored condition holds. */
const OPERATIONS = Object.fromEntries(CONDITION_OPERATORS.map((name) => [name, sift[name]]));

/** Whether the subject meets a condition that was checked. */
export function meets(condition: Condition | undefined, subject: object): boolean {
  return condition === undefined || sift.createQueryTester<object>(condition, { operations: OPERATIONS })(subject);
}
