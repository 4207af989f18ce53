import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { joinStates, observeProperties, type PropertyState } from "../src/identity/property-state.js";

const MERGED = new Set(["discord"]);
const EMPTY: PropertyState = { properties: {}, times: {} };
const observe = (properties: Record<string, unknown>, timeMs: number) => observeProperties(properties, timeMs, MERGED);
const joined = (...states: PropertyState[]) => states.reduce(joinStates, EMPTY).properties;

describe("contact properties", () => {
  it("keeps the newer value whichever arrives last", () => {
    const older = observe({ plan: "free" }, 1000);
    const newer = observe({ plan: "pro" }, 2000);
    expect(joined(older, newer)).toEqual({ plan: "pro" });
    expect(joined(newer, older)).toEqual({ plan: "pro" });
  });

  it("H2 merges a declared key one level deep and clobbers nothing", () => {
    const first = observe({ discord: { id: "1", username: "nelly", roles: ["a"] } }, 1000);
    const second = observe({ discord: { id: "1", avatar: "x", roles: ["b"] } }, 2000);
    expect(joined(second, first)).toEqual({ discord: { id: "1", username: "nelly", avatar: "x", roles: ["b"] } });
  });

  it("replaces a key that is not declared as a whole", () => {
    const first = observe({ address: { city: "Bonn", zip: "53111" } }, 1000);
    const second = observe({ address: { city: "Köln" } }, 2000);
    expect(joined(first, second)).toEqual({ address: { city: "Köln" } });
  });

  it("H2 never writes null or undefined, so they remove nothing", () => {
    const known = observe({ plan: "pro", discord: { username: "nelly" } }, 1000);
    const silent = observe({ plan: null, other: undefined, discord: { username: null, nick: undefined } }, 2000);
    expect(joined(known, silent)).toEqual({ plan: "pro", discord: { username: "nelly" } });
  });

  it("H2 lets last_seen only grow, even when an older time is observed later", () => {
    const first = observe({ discord: { last_seen: "2026-03-01T10:00:00.000Z" } }, 1000);
    const later = observe({ discord: { last_seen: "2026-02-01T10:00:00.000Z" } }, 2000);
    expect(joined(first, later)).toEqual({ discord: { last_seen: "2026-03-01T10:00:00.000Z" } });
    expect(joined(later, first)).toEqual({ discord: { last_seen: "2026-03-01T10:00:00.000Z" } });
  });

  it("compares last_seen as a time, not as a text", () => {
    const east = observe({ discord: { last_seen: "2026-03-01T23:30:00+09:00" } }, 1000);
    const utc = observe({ discord: { last_seen: "2026-03-01T15:00:00Z" } }, 1000);
    expect(joined(east, utc)).toEqual({ discord: { last_seen: "2026-03-01T15:00:00Z" } });
  });

  it("treats __proto__ as an ordinary name", () => {
    const state = observe(JSON.parse('{"__proto__": {"admin": true}}'), 1000);
    const result = joined(state);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
    expect(JSON.stringify(result)).toBe('{"__proto__":{"admin":true}}');
  });

  it("joins in any order and any grouping to the same state", () => {
    // Few values, so that equal ones meet at different times.
    const value = fc.constantFrom<unknown>("a", "b", 1, 2, null, [1], [2, 1], { x: 1 });
    const inner = fc.dictionary(fc.constantFrom("id", "username", "last_seen"), value, { maxKeys: 3 });
    const properties = fc.record({ plan: value, city: value, discord: inner }, { requiredKeys: [] }) as fc.Arbitrary<
      Record<string, unknown>
    >;
    const state = fc
      .tuple(properties, fc.integer({ min: 1, max: 4 }))
      .map(([observed, timeMs]) => observe(observed, timeMs));

    fc.assert(
      fc.property(state, state, state, (a, b, c) => {
        expect(joinStates(a, b)).toEqual(joinStates(b, a));
        expect(joinStates(joinStates(a, b), c)).toEqual(joinStates(a, joinStates(b, c)));
        expect(joinStates(a, a)).toEqual(a);
      }),
      { numRuns: 500 },
    );
  });
});
