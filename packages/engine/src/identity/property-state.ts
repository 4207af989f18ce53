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
  const observed = withoutNulls(properties);
  const times: Record<string, PropertyTime> = {};
  for (const [key, value] of Object.entries(observed)) {
    put(times, key, mergedKeys.has(key) && isPlainObject(value) ? sameTimes(value, timeMs) : timeMs);
  }
  return { properties: observed, times };
}

function sameTimes(values: Readonly<Record<string, unknown>>, timeMs: number): Readonly<Record<string, number>> {
  const times: Record<string, number> = {};
  for (const key of Object.keys(values)) put(times, key, timeMs);
  return times;
}

/** Both states in one, and the first itself where the second adds nothing. Commutative, associative and idempotent. */
export function joinStates(a: PropertyState, b: PropertyState): PropertyState {
  let joined: { readonly properties: Record<string, unknown>; readonly times: Record<string, PropertyTime> } | null =
    null;
  for (const key of Object.keys(b.properties)) {
    const known = read(a, key);
    const winner = joinProperty(known, read(b, key));
    if (winner === known) continue;
    joined ??= { properties: { ...a.properties }, times: { ...a.times } };
    put(joined.properties, key, winner.value);
    put(joined.times, key, winner.time);
  }
  return joined ?? a;
}

/** `__proto__` is a name like any other. */
function put<Value>(object: Record<string, Value>, key: string, value: Value): void {
  if (key !== "__proto__") object[key] = value;
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
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
  let joined: { readonly value: Record<string, unknown>; readonly time: Record<string, number> } | null = null;
  for (const key of Object.keys(b.value)) {
    const known = observationOf(a, key);
    const winner = pick(key, known, observationOf(b, key));
    if (winner === known) continue;
    joined ??= { value: { ...a.value }, time: { ...a.time } };
    put(joined.value, key, winner.value);
    put(joined.time, key, winner.timeMs);
  }
  return joined ?? a;
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
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(object)) {
    if (value === null || value === undefined) continue;
    put(kept, key, isPlainObject(value) ? withoutNulls(value) : value);
  }
  return kept;
}
