import { describe, expect, it } from "vitest";
import {
  createDiscordConnector,
  type DiscordConnectorOptions,
  defineCommand,
  isDiscordConnectorError,
  reply,
} from "../src/index.js";

const options: DiscordConnectorOptions = {
  applicationId: "100000000000000001",
  clientSecret: "client-secret",
  publicKeyHex: "ab".repeat(32),
  ingressSecrets: ["ingress-secret-with-more-than-32-characters"],
  componentSecret: "component-secret-of-more-than-32-characters",
  redirectUri: "https://api.example.com/v1/connectors/discord/oauth/callback",
  studioIntegrationsUrl: "https://api.example.com/studio/integrations",
  saveDerived: async () => {},
  resolveContact: async () => {},
  requestConfirm: async () => ({ ok: true }),
};

describe("createDiscordConnector", () => {
  it("H6 has the three routes, of which ingress and interactions are not limited by address", () => {
    const { id, routes, identityKinds, mergedProperties, destinations } = createDiscordConnector(options);
    expect({ id, identityKinds, mergedProperties }).toEqual({
      id: "discord",
      identityKinds: ["discord"],
      mergedProperties: ["discord"],
    });
    expect(routes.map(({ method, path, rateLimited }) => [method, path, rateLimited])).toEqual([
      ["POST", "/ingress", false],
      ["POST", "/shard-leases", false],
      ["POST", "/interactions", false],
      ["POST", "/webhook-events", false],
      ["GET", "/oauth/start", true],
      ["POST", "/oauth/start", true],
      ["GET", "/oauth/callback", true],
      ["POST", "/oauth/callback", true],
    ]);
    expect(destinations.map((one) => one.id)).toEqual(["discord-follow-up", "discord-deauthorization"]);
  });

  it.each([
    [
      "H11 an ingress secret under 32 characters",
      { ingressSecrets: [...options.ingressSecrets, "short"] },
      "ingressSecrets[1] has 5 characters; it takes at least 32.",
    ],
    ["no ingress secret", { ingressSecrets: [] }, "ingressSecrets is empty"],
    [
      "a missing component secret",
      { componentSecret: undefined as unknown as string },
      "componentSecret is missing; it takes at least 32.",
    ],
    ["a public key that is none", { publicKeyHex: "abc" }, "publicKeyHex is the public key, 64 hex digits."],
    ["an application id that is none", { applicationId: "my app" }, "applicationId"],
    ["an address that is none", { redirectUri: "/callback" }, "redirectUri is not a URL."],
    ["an API's address that is none", { restBaseUrl: "discord.com/api" }, "restBaseUrl is not an http(s) URL."],
  ])("refuses %s at once, without showing it", (_what, change, message) => {
    const build = () => createDiscordConnector({ ...options, ...change });
    expect(build).toThrow(message);
    expect(build).toThrow(expect.objectContaining({ code: "invalid_option" }));
    try {
      build();
    } catch (error) {
      expect(isDiscordConnectorError(error)).toBe(true);
      expect(String(error)).not.toContain("short");
    }
  });

  it("refuses two definitions of one name", () => {
    const link = defineCommand({ name: "link", description: "x", answer: "immediate", run: () => reply("x") });
    expect(() => createDiscordConnector({ ...options, commands: [link] })).toThrow(
      expect.objectContaining({ code: "duplicate_name" }),
    );
  });
});
