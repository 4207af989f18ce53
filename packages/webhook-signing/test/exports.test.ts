import { expect, it } from "vitest";
import * as dropIn from "../src/drop-in.js";
import * as fetchNode from "../src/fetch/node.js";
import * as fetchWeb from "../src/fetch/web.js";
import * as main from "../src/index.js";
import * as node from "../src/node/index.js";
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

it("exports these names from the adapters", () => {
  expect([fetchNode, fetchWeb, node, dropIn].map((face) => Object.keys(face).sort())).toMatchInlineSnapshot(`
    [
      [
        "verifyRequest",
      ],
      [
        "verifyRequest",
      ],
      [
        "fastifyWebhook",
        "readRawBody",
        "webhookMiddleware",
        "webhookOf",
      ],
      [
        "Webhook",
        "WebhookVerificationError",
      ],
    ]
  `);
});
