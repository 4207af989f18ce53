import { expect, it } from "vitest";
import * as engine from "../src/index.js";

it("exports what the README names, and nothing else", () => {
  expect(Object.keys(engine).sort()).toMatchInlineSnapshot(`
    [
      "EngineError",
      "ROTATION_DUE_EVENT",
      "createApp",
      "createColdConnect",
      "createConfirmMail",
      "createEngine",
      "createLocalMailer",
      "createPostgresReplayStore",
      "createRedisReplayStore",
      "createRouter",
      "createSmtpMailer",
      "getDerivedCredential",
      "githubSource",
      "isEngineError",
      "jsonBody",
      "normaliseEmail",
      "postHogAnalytics",
      "problem",
      "problemResponses",
      "requireApiKey",
      "saveDerivedCredential",
      "standardWebhooksSource",
      "stripeSource",
      "supportSource",
      "xtsystemsSource",
    ]
  `);
});
