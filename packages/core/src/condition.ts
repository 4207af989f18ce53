/**
 * What an event's data have to be like: fields by their dotted paths, each with a value or with operators of MongoDB's
 * query language, such as `{ "ticket.priority": { $gte: 2 }, tags: { $in: ["vip"] } }`.
 *
 * Comparison: `$eq`, `$ne`, `$gt`, `$gte`, `$lt`, `$lte`. Existence: `$exists`. Arrays: `$in`, `$nin`, `$all`, `$size`,
 * `$elemMatch`. Logic: `$and`, `$or`, `$nor`, `$not`. Nothing that runs code or a pattern.
 *
 * @see https://www.mongodb.com/docs/manual/reference/operator/query/
 */
export type Condition = Readonly<Record<string, unknown>>;

/** The operators of MongoDB's query language that a {@link Condition} may use. */
export const CONDITION_OPERATORS = [
  "$all",
  "$and",
  "$elemMatch",
  "$eq",
  "$exists",
  "$gt",
  "$gte",
  "$in",
  "$lt",
  "$lte",
  "$ne",
  "$nin",
  "$nor",
  "$not",
  "$or",
  "$size",
] as const;

/** One thing that is wrong with a {@link Condition}, at a path below `condition`. */
export interface ConditionIssue {
  readonly path: string;
  readonly message: string;
}

const MAX_CHARACTERS = 8_192;
const MAX_DEPTH = 8;
const MAX_LIST = 100;
const MAX_PATH_CHARACTERS = 256;

/** What is wrong with a condition that a caller gave, at paths below `condition`. */
export function conditionIssues(condition: unknown): readonly ConditionIssue[] {
  const issues = queryIssues(condition, { path: "condition", depth: 1 });
  if (issues.length > 0) return issues;
  const characters = JSON.stringify(condition).length;
  return characters <= MAX_CHARACTERS
    ? []
    : [{ path: "condition", message: `has ${characters} characters as JSON; ${MAX_CHARACTERS} are allowed` }];
}

interface Place {
  readonly path: string;
  readonly depth: number;
}

const below = ({ path, depth }: Place, name: string | number): Place => ({ path: `${path}.${name}`, depth: depth + 1 });

/** Fields, and the operators that combine queries. */
function queryIssues(query: unknown, place: Place): readonly ConditionIssue[] {
  const { path, depth } = place;
  if (!isPlainObject(query)) return [{ path, message: "is an object of fields and what they have to be" }];
  if (depth > MAX_DEPTH) return [{ path, message: `is nested deeper than ${MAX_DEPTH} levels` }];
  const names = Object.keys(query);
  if (names.length === 0) return [{ path, message: "names at least one field" }];
  return names.flatMap((name) => {
    const here = below(place, name);
    if (name === "$and" || name === "$or" || name === "$nor") return listIssues(query[name], here, queryIssues);
    if (name.startsWith("$")) return [{ path: here.path, message: "is no operator that combines conditions" }];
    const unfit = whyNoPath(name);
    return unfit === null ? operandIssues(query[name], here) : [{ path: here.path, message: unfit }];
  });
}

/** What a field has to be: a value, or operators. */
function operandIssues(operand: unknown, place: Place): readonly ConditionIssue[] {
  if (!isPlainObject(operand)) return valueIssues(operand, place);
  const isOperators = Object.keys(operand).some((name) => name.startsWith("$"));
  return isOperators ? operatorIssues(operand, place) : valueIssues(operand, place);
}

function operatorIssues(operators: unknown, place: Place): readonly ConditionIssue[] {
  const { path, depth } = place;
  if (!isPlainObject(operators)) return [{ path, message: "is an object of operators" }];
  if (depth > MAX_DEPTH) return [{ path, message: `is nested deeper than ${MAX_DEPTH} levels` }];
  if (Object.keys(operators).length === 0) return [{ path, message: "names at least one operator" }];
  return Object.entries(operators).flatMap(([name, operand]) => oneOperatorIssues(name, operand, below(place, name)));
}

function oneOperatorIssues(name: string, operand: unknown, place: Place): readonly ConditionIssue[] {
  const refused = (message: string): readonly ConditionIssue[] => [{ path: place.path, message }];
  switch (name) {
    case "$eq":
    case "$ne":
      return valueIssues(operand, place);
    case "$gt":
    case "$gte":
    case "$lt":
    case "$lte":
      return typeof operand === "string" || Number.isFinite(operand) ? [] : refused("is a number or a text");
    case "$exists":
      return typeof operand === "boolean" ? [] : refused("is true or false");
    case "$size":
      return Number.isInteger(operand) && (operand as number) >= 0 ? [] : refused("is a whole number from 0");
    case "$in":
    case "$nin":
    case "$all":
      return listIssues(operand, place, valueIssues);
    case "$not":
      return operatorIssues(operand, place);
    case "$elemMatch":
      return isPlainObject(operand) &&
        Object.keys(operand).some((key) => (CONDITION_OPERATORS as readonly string[]).includes(key))
        ? operatorIssues(operand, place)
        : queryIssues(operand, place);
    default:
      return refused(name.startsWith("$") ? "is no operator that is allowed" : "stands beside operators");
  }
}

function listIssues(
  list: unknown,
  place: Place,
  check: (entry: unknown, place: Place) => readonly ConditionIssue[],
): readonly ConditionIssue[] {
  if (!Array.isArray(list) || list.length === 0 || list.length > MAX_LIST) {
    return [{ path: place.path, message: `is a list of 1 to ${MAX_LIST}` }];
  }
  return list.flatMap((entry: unknown, index) => check(entry, below(place, index)));
}

/** JSON, and no operator in it: sift would run one. */
function valueIssues(value: unknown, place: Place): readonly ConditionIssue[] {
  const { path, depth } = place;
  if (depth > MAX_DEPTH + 2) return [{ path, message: "is nested too deep" }];
  if (value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value)) return [];
  if (Array.isArray(value)) return value.flatMap((entry: unknown, index) => valueIssues(entry, below(place, index)));
  if (!isPlainObject(value)) return [{ path, message: "is not JSON" }];
  return Object.entries(value).flatMap(([name, entry]) =>
    name.startsWith("$")
      ? [{ path: `${path}.${name}`, message: "is an operator within a value" }]
      : valueIssues(entry, below(place, name)),
  );
}

/** Every object has `constructor` and its like: a path over them asks nothing of the data. */
function whyNoPath(path: string): string | null {
  if (path.length > MAX_PATH_CHARACTERS) return `has more than ${MAX_PATH_CHARACTERS} characters`;
  const parts = path.split(".");
  if (parts.includes("")) return "is no path of fields";
  return parts.some((part) => part in Object.prototype) ? "is no field of data" : null;
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
