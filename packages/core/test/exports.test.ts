import { expect, it } from "vitest";
import * as core from "../src/index.js";

it("exports what the README names, and nothing else", () => {
  expect(Object.keys(core).sort()).toMatchInlineSnapshot(`
    [
      "OUTBOX_REFUSALS",
      "defineAction",
      "defineConnector",
      "defineDestination",
      "defineEvent",
      "defineSource",
      "isErrorNamed",
      "newId",
      "problemResponse",
      "silentLogger",
      "systemClock",
    ]
  `);
});
