import { describe, expect, it } from "vitest";
import { newId } from "../src/index.js";

describe("newId", () => {
  it("makes ids that sort by the time they were made in", () => {
    const times = [0, 1, 999, 1_700_000_000_000, 1_700_000_000_001, 4_000_000_000_000];
    const ids = times.map((nowMs) => newId("evt", nowMs));
    expect([...ids].sort()).toEqual(ids);
  });

  it("makes ids without a dot or anything that a URL or a header would escape", () => {
    expect(newId("evt", Date.now())).toMatch(/^evt_[0-9a-z]{29}$/);
  });

  it("makes no id twice in the same millisecond", () => {
    const ids = new Set(Array.from({ length: 10_000 }, () => newId("dlv", 1_700_000_000_000)));
    expect(ids.size).toBe(10_000);
  });
});
