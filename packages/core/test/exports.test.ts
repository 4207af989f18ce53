import { expect, it } from "vitest";
import * as core from "../src/index.js";

it("exports what the README names, and nothing else", () => {
  expect(Object.keys(core).sort()).toMatchInlineSnapshot(`
    [
      "CONDITION_OPERATORS",
      "OUTBOX_REFUSALS",
      "conditionIssues",
      "countCharacters",
      "countOperations",
      "defineAction",
      "defineConnector",
      "defineDestination",
      "defineEvent",
      "defineSource",
      "identitySubject",
      "isErrorNamed",
      "limitTemplates",
      "newId",
      "problemResponse",
      "readText",
      "silentLogger",
      "systemClock",
    ]
  `);
});
