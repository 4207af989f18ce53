import { expect, it } from "vitest";
import * as main from "../src/index.js";

it("exports these names and no others", () => {
  expect(Object.keys(main).sort()).toMatchInlineSnapshot(`
    [
      "SLACK_COLORS",
      "SLACK_DESTINATION_ID",
      "SLACK_LIMITS",
      "SlackDestinationError",
      "isSlackDestinationError",
      "slackDestination",
    ]
  `);
});
