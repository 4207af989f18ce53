import { expect, it } from "vitest";
import * as simulator from "../src/index.js";

it("exports what it promises and nothing else", () => {
  expect(Object.keys(simulator).sort()).toMatchInlineSnapshot(`
    [
      "DiscordSimulatorError",
      "connectSimulator",
      "createDiscordSimulator",
      "isDiscordSimulatorError",
    ]
  `);
});
