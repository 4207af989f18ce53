import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createPlatformApi } from "../src/platform/platform-api.js";

let stop = () => {};
afterEach(() => stop());

describe("the platform's API", () => {
  it("N3 is read no further than 4 MB", async () => {
    const server = createServer((_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write("x".repeat(65_536)));
      };
      response.on("drain", more);
      more();
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    stop = () => {
      server.closeAllConnections();
      server.close();
    };
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const answer = await createPlatformApi({ url, apiKey: "key" }).list();
    expect(answer).toEqual({
      ok: false,
      reason: "not_understood",
      message: `The answer of ${url} to GET /v1/webhooks is too long.`,
    });
  });

  it("X5 says in plain words that nothing came in time", async () => {
    const server = createServer(() => {}).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    stop = () => {
      server.closeAllConnections();
      server.close();
    };
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const answer = await createPlatformApi({ url, apiKey: "key", timeoutMs: 50 }).list();
    const message = `No answer from ${url}: nothing came within 0.05 seconds.`;
    expect(answer).toEqual({ ok: false, reason: "unreachable", message });
  });
});
