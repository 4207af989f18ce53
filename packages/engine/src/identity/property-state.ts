import { canonicalJson, isPlainObject } from "../storage/text.js";

/**
 * A contact's properties and when each was observed.
 *
 * States are joined property by property, the newer observation wins, and a tie goes to the greater value. So the
 * outcome does not depend on the order in which events arrive, nor on how often.
 */
export interface PropertyState {
  readonly properties: Readonly<Record<string, unknown>>;
  /** Milliseconds since 1970, in the shape of `properties`: a number, or an object for a key that merges one level deep. */
  readonly times: Readonly<Record<string, PropertyTime>>;
}

type PropertyTime = number | Readonly<Record<string, number>>;

interface Observation {
  readonly value: unknown;
  readonly timeMs: number;
}

/** The name of the property that is the newest observed time, whatever event carried it. */
const LAST_SEEN = "last_seen";

/** The state that one observation makes. Null and undefined are left out, however deep. */
export function observeProperties(
  properties: Readonly<Record<string, unknown>>,
  timeMs: number,
  mergedKeys: ReadonlySet<string>,
): PropertyState {
  const values: [string, unknown][] = [];
  const times: [string, PropertyTime][] = [];
  for (const [key, value] of Object.entries(withoutNulls(properties))) {
    values.push([key, value]);
    times.push([
      key,
      mergedKeys.has(key) && isPlainObject(value)
        ? Object.fromEntries(Object.keys(value).map((innerKey) => [innerKey, timeMs]))
        : timeMs,
    ]);
  }
  return { properties: Object.fromEntries(values), times: Object.fromEntries(times) };
}

/** Both states in one. Commutative, associative and idempotent. */
export function joinStates(a: PropertyState, b: PropertyState): PropertyState {
  const values: [string, unknown][] = [];
  const times: [string, PropertyTime][] = [];
  for (const key of new Set([...Object.keys(a.properties), ...Object.keys(b.properties)])) {
    const joined = joinProperty(read(a, key), read(b, key));
    values.push([key, joined.value]);
    times.push([key, joined.time]);
  }
  return { properties: Object.fromEntries(values), times: Object.fromEntries(times) };
}

interface StoredProperty {
  readonly value: unknown;
  readonly time: PropertyTime;
}

function read(state: PropertyState, key: string): StoredProperty | undefined {
  if (!Object.hasOwn(state.properties, key)) return undefined;
  const time = Object.hasOwn(state.times, key) ? state.times[key] : undefined;
  return { value: state.properties[key], time: time ?? 0 };
}

function joinProperty(a: StoredProperty | undefined, b: StoredProperty | undefined): StoredProperty {
  if (!a || !b) return (a ?? b) as StoredProperty;
  if (isMerging(a) && isMerging(b)) return joinInner(a, b);
  const [fromA, fromB] = [asOne(a), asOne(b)];
  return pick("", fromA, fromB) === fromA ? a : b;
}

function asOne({ value, time }: StoredProperty): Observation {
  return { value, timeMs: newestOf(time) };
}

type MergingProperty = {
  readonly value: Record<string, unknown>;
  readonly time: Readonly<Record<string, number>>;
};

function isMerging(property: StoredProperty): property is MergingProperty {
  return isPlainObject(property.value) && isPlainObject(property.time);
}

function joinInner(a: MergingProperty, b: MergingProperty): StoredProperty {
  const values: [string, unknown][] = [];
  const times: [string, number][] = [];
  for (const key of new Set([...Object.keys(a.value), ...Object.keys(b.value)])) {
    const winner = pick(key, observationOf(a, key), observationOf(b, key));
    values.push([key, winner.value]);
    times.push([key, winner.timeMs]);
  }
  return { value: Object.fromEntries(values), time: Object.fromEntries(times) };
}

function observationOf(property: MergingProperty, key: string): Observation | undefined {
  return Object.hasOwn(property.value, key)
    ? { value: property.value[key], timeMs: property.time[key] ?? 0 }
    : undefined;
}

function pick(key: string, a: Observation | undefined, b: Observation | undefined): Observation {
  if (!a || !b) return (a ?? b) as Observation;
  if (key === LAST_SEEN) {
    const [aSeen, bSeen] = [momentOf(a.value), momentOf(b.value)];
    if (aSeen !== bSeen) return aSeen > bSeen ? a : b;
  }
  if (a.timeMs !== b.timeMs) return a.timeMs > b.timeMs ? a : b;
  return canonicalJson(a.value) >= canonicalJson(b.value) ? a : b;
}

/** A moment as milliseconds; what is no moment comes before all of them. */
function momentOf(value: unknown): number {
  const moment = typeof value === "number" ? value : typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(moment) ? Number.NEGATIVE_INFINITY : moment;
}

function newestOf(time: PropertyTime): number {
  return typeof time === "number" ? time : Math.max(0, ...Object.values(time));
}

function withoutNulls(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(object)
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([key, value]) => [key, isPlainObject(value) ? withoutNulls(value) : value]),
  );
}
