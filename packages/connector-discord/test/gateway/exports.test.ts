import { expect, test } from "vitest";
import * as gateway from "../../src/gateway/index.js";

test("the exports of ./gateway", () => {
  expect(Object.keys(gateway).sort()).toMatchInlineSnapshot(`
    [
      "GATEWAY_WORKER_DEFAULTS",
      "GatewayWorkerError",
      "createDiscordGatewayWorker",
      "forwardFromClient",
      "isGatewayWorkerError",
    ]
  `);
});
