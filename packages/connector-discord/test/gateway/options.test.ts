import { describe, expect, test } from "vitest";
import {
  createDiscordGatewayWorker,
  type GatewayWorkerOptions,
  isGatewayWorkerError,
} from "../../src/gateway/index.js";
import { resolveOptions } from "../../src/gateway/options.js";
import { DISCORD_INTENTS } from "../../src/provider.js";

const good: GatewayWorkerOptions = {
  botToken: "a.bot.token",
  apiPublicUrl: "https://api.example.com",
  ingressSecret: "x".repeat(32),
};

describe("options of the gateway worker", () => {
  test.each<[string, Partial<GatewayWorkerOptions>]>([
    ["ingressSecret", { ingressSecret: "x".repeat(31) }],
    ["ingressSecret", { ingressSecret: "" }],
    ["ingressSecret", { ingressSecret: [] }],
    ["ingressSecret", { ingressSecret: ["y".repeat(32), "x".repeat(31)] }],
    ["backfill.maxMessagesPerChannel", { backfill: { maxMessagesPerChannel: 0 } }],
    ["shardCount", { shardLeases: {} }],
    ["shardLeases.ttlMs", { shardCount: 1, shardLeases: { ttlMs: 10 } }],
    ["shardLeases.maxShards", { shardCount: 1, shardLeases: { maxShards: 0 } }],
    ["botToken", { botToken: "" }],
    ["botToken", { botToken: "Bot abc" }],
    ["botToken", { botToken: "abc\n" }],
    ["apiPublicUrl", { apiPublicUrl: "api.example.com" }],
    ["apiPublicUrl", { apiPublicUrl: "ftp://api.example.com" }],
    ["apiPublicUrl", { apiPublicUrl: "https://api.example.com/?a=1" }],
    ["restBaseUrl", { restBaseUrl: "nonsense" }],
    ["spoolLimit.maxItems", { spoolLimit: { maxItems: 0 } }],
    ["maxConcurrentRequests", { maxConcurrentRequests: 1.5 }],
    ["gatherMs", { gatherMs: 0 }],
    ["gatherMs", { gatherMs: 60_001 }],
  ])("H9 refuses a wrong %s at once, by name and without its value", (name, wrong) => {
    try {
      createDiscordGatewayWorker({ ...good, ...wrong });
      expect.unreachable();
    } catch (error) {
      expect(isGatewayWorkerError(error)).toBe(true);
      expect(error).toMatchObject({ code: "invalid_option", message: expect.stringContaining(`\`${name}\``) });
      expect(String(error)).not.toContain("x".repeat(31));
    }
  });

  test("has defaults for everything but token, address and secret", () => {
    expect(resolveOptions(good)).toMatchObject({
      connectorUrl: "https://api.example.com/v1/connectors/discord",
      post: { compress: true },
      fetch: null,
      gatherMs: 100,
      shardLeases: null,
      spoolDirectory: "./.hookline/spool",
      intents: DISCORD_INTENTS,
      restBaseUrl: "https://discord.com/api",
      health: null,
    });
  });

  test.each([
    ["https://api.example.com/", "https://api.example.com/v1/connectors/discord", true],
    ["https://example.com/hookline/", "https://example.com/hookline/v1/connectors/discord", true],
    ["http://127.0.0.1:4000", "http://127.0.0.1:4000/v1/connectors/discord", false],
    ["http://localhost:4000", "http://localhost:4000/v1/connectors/discord", false],
    ["http://[::1]:4000", "http://[::1]:4000/v1/connectors/discord", false],
  ])("posts below %s, packed unless that is this machine", (apiPublicUrl, connectorUrl, compress) => {
    expect(resolveOptions({ ...good, apiPublicUrl })).toMatchObject({ connectorUrl, post: { compress } });
  });

  test.each(["http://127.0.0.1:4000/api", "http://127.0.0.1:4000/api/", "http://127.0.0.1:4000/api/v10"])(
    "takes %s as Discord's REST address",
    (restBaseUrl) => {
      expect(resolveOptions({ ...good, restBaseUrl }).restBaseUrl).toBe("http://127.0.0.1:4000/api");
    },
  );
});
