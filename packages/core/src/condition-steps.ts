/** The most that one judgement may take: operators and comparisons, each over one value or entry. */
const MAX_STEPS = 1_000_000;

type Next = (item: unknown, ...rest: unknown[]) => void;
type CreateOperation = (...parts: unknown[]) => { next: Next };

/** What sift is given so that a judgement ends. */
export interface CountedOperations<Operations> {
  readonly operations: Operations;
  /** Equality of JSON. */
  compare(a: unknown, b: unknown): boolean;
  /** Ahead of each judgement. */
  begin(): void;
}

/**
 * Has sift's operations count their steps: few values of a condition over the many entries of an event could otherwise
 * keep a process busy for seconds. A judgement of more than 1,000,000 steps throws.
 */
export function countOperations<Operations extends object>(operations: Operations): CountedOperations<Operations> {
  let left = 0;
  const spend = (value: unknown): void => {
    left -= Array.isArray(value) ? entriesWithin(value, left) : 1;
    if (left < 0) throw new Error(`The condition takes more than ${MAX_STEPS} steps over this event's data.`);
  };
  const counted = (create: CreateOperation): CreateOperation => {
    return (...parts) => {
      const operation = create(...parts);
      const next = operation.next.bind(operation);
      operation.next = (item, ...rest) => {
        spend(item);
        next(item, ...rest);
      };
      return operation;
    };
  };
  const isEqual = (a: unknown, b: unknown): boolean => {
    if (a === b || (a == null && b == null)) return true;
    if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
    if (Array.isArray(a) !== Array.isArray(b)) return false;
    const names = Object.keys(a);
    return (
      names.length === Object.keys(b).length &&
      names.every((name) => {
        spend(null);
        return isEqual((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name]);
      })
    );
  };
  return {
    operations: Object.fromEntries(
      Object.entries(operations).map(([name, create]) => [name, counted(create as CreateOperation)]),
    ) as Operations,
    compare(a, b) {
      // Before it compares a list, sift copies it with all lists in it.
      spend(b);
      return isEqual(a, b);
    },
    begin() {
      left = MAX_STEPS;
    },
  };
}

/** Those of the lists in it too; more than `most` is not counted to its end. */
function entriesWithin(list: readonly unknown[], most: number): number {
  const open: (readonly unknown[])[] = [list];
  let entries = 1;
  while (open.length > 0 && entries <= most) {
    const one = open.pop() ?? [];
    entries += one.length;
    for (const entry of one) if (Array.isArray(entry)) open.push(entry);
  }
  return entries;
}
