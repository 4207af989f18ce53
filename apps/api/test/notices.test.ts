import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiProcess, createSetting, type Setting, spawnApi, untilReady } from "./running-api.js";

const START_TIMEOUT_MS = 120_000;

describe("what the API tells its operator without being asked", () => {
  let setting: Setting;
  let api: ApiProcess;
  beforeAll(async () => {
    setting = await createSetting();
  });
  afterAll(() => setting.close());

  it(
    "X9 says at the start that no message would reach a Discord on this machine, and what to set",
    async () => {
      api = spawnApi(setting.environment);
      await untilReady(api);
      expect(api.output()).toContain("ADDRESS_GUARD_ALLOW_HTTP=true and ADDRESS_GUARD_ALLOW=127.0.0.0/8");
      api.child.kill("SIGTERM");
      expect(await api.exited).toBe(0);
    },
    START_TIMEOUT_MS,
  );

  it(
    "X9 X2 says that a channel gets nothing any more, and why",
    async () => {
      api = spawnApi({
        ...setting.environment,
        ADDRESS_GUARD_ALLOW: "127.0.0.0/8",
        ADDRESS_GUARD_ALLOW_HTTP: "true",
        DISCORD_WEBHOOK_CHANNELS: '{"alert.triggered":["999999999999"]}',
      });
      await untilReady(api);
      expect(api.output()).not.toContain("no message reaches a channel");
      const { status } = await fetch(`${api.url}/v1/alerts`, {
        method: "POST",
        headers: { authorization: `Bearer ${setting.environment.API_KEY}`, "content-type": "application/json" },
        body: JSON.stringify({ title: "Disk full", message: "95 %", severity: "critical", source: "monitor" }),
      });
      expect(status).toBe(201);
      await expect.poll(() => api.output(), { timeout: 30_000 }).toContain("an endpoint was disabled");
      expect(api.output()).toContain("Unknown Channel (10003)");
      api.child.kill("SIGTERM");
      expect(await api.exited).toBe(0);
    },
    START_TIMEOUT_MS,
  );
});
