import { expect, it } from "vitest";
import { isTriggered } from "../src/automations/run-automation.js";

const event = (data: unknown) => ({
  id: "evt_1",
  type: "a.b",
  timestamp: "2026-01-02T03:04:05.678Z",
  tenantId: "t",
  data,
});

it("E16 judges a condition, and refuses one that takes too many steps over an event", () => {
  const condition = { "data.a": { $nin: Array.from({ length: 100 }, (_, n) => -1 - n) } };
  expect(isTriggered({ condition }, event({ a: [1, 2] }))).toBe(true);
  expect(isTriggered({ condition }, event({ a: [1, -2] }))).toBe(false);
  const a = Array.from({ length: 20_000 }, () => 1);
  expect(() => isTriggered({ condition }, event({ a }))).toThrow(
    expect.objectContaining({
      code: "invalid_automation",
      message: expect.stringContaining("more than 1000000 steps"),
    }),
  );
});
