import { describe, expect, it } from "vitest";
import { discordDestination } from "../src/index.js";
import { BOT_TOKEN, CHANNEL_ID, COMPONENT_SECRET } from "./support/app.js";

const EVENT = { id: "evt_1", type: "x.y", timestamp: "2026-01-01T12:00:00.000Z", tenantId: "default", data: {} };

describe("a template of discordDestination", () => {
  it("has a delivery tried again when a template could not ask what it needs, and fails it when a template throws", async () => {
    const planned = async (message: () => never | Promise<never>) =>
      discordDestination({
        templates: { "*": { message } },
        componentSecret: COMPONENT_SECRET,
        botToken: BOT_TOKEN,
      }).plan(EVENT, {
        endpoint: { id: "ep_1", tenantId: "default", target: { channelId: CHANNEL_ID }, secrets: [] },
        state: null,
        deliveryId: "dlv_1",
        attempt: 1,
        now: new Date(),
        signal: AbortSignal.timeout(5_000),
      });
    const plan = await planned(() => Promise.reject(new Error("no connection")));
    if (plan?.kind !== "run") throw new Error("A run was expected.");
    expect(await plan.run()).toEqual({ outcome: "retry", reason: "The template failed: Error: no connection" });
    const throwing = planned(() => {
      throw new TypeError("no such field");
    });
    await expect(throwing).rejects.toThrow("The template failed: TypeError: no such field");
    await expect(planned(() => undefined as never)).rejects.toThrow("A message is a text or { content, embeds, … }");
    const asText = await planned(() => "a *b*" as never);
    expect(asText?.kind === "request" && JSON.parse(String(asText.request.body)).content).toBe("a \\*b\\*");
  });
});
