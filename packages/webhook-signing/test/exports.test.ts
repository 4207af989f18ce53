import { expect, it } from "vitest";
import * as main from "../src/index.js";
import * as web from "../src/web/index.js";

it("exports these names, and no others", () => {
  expect(Object.keys(main).sort()).toMatchInlineSnapshot(`
    [
      "WebhookSecretError",
      "WebhookVerificationError",
      "aiSupport",
      "bodyHmac",
      "createMemoryReplayStore",
      "createReplayGuard",
      "defineScheme",
      "discord",
      "erxes",
      "generateKeyPair",
      "generateSecret",
      "github",
      "isWebhookSecretError",
      "isWebhookVerificationError",
      "shopify",
      "sign",
      "slack",
      "standardWebhooks",
      "stripe",
      "svix",
      "verify",
      "verifyAny",
      "xtsystems",
    ]
  `);
});

it("exports the same names from ./web", () => {
  expect(Object.keys(web).sort()).toEqual(Object.keys(main).sort());
});
