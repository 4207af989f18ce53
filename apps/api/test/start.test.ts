import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSetting, freePort, type Setting, spawnApi, untilReady } from "./running-api.js";

/** A first start makes a database, which takes seconds of CPU. */
const START_TIMEOUT_MS = 120_000;

describe("the API's start", () => {
  let setting: Setting;
  beforeAll(async () => {
    setting = await createSetting();
  });
  afterAll(() => setting.close());

  it("names each variable that is missing or wrong, and never a value", async () => {
    const { API_KEY: _, ...environment } = setting.environment;
    const api = spawnApi({ ...environment, ENCRYPTION_KEY: "not-a-key-but-secret", PORT: "99999" });
    expect(await api.exited).toBe(1);
    expect(api.output()).toContain("(invalid_environment)");
    for (const name of ["API_KEY", "ENCRYPTION_KEY", "PORT"]) expect(api.output()).toContain(`  ${name}: `);
    expect(api.output()).not.toContain("not-a-key-but-secret");
  });

  it("H11 refuses an ingress secret below 32 characters", async () => {
    const api = spawnApi({ ...setting.environment, CONNECTOR_INGRESS_SECRET: "short" });
    expect(await api.exited).toBe(1);
    expect(api.output()).toContain("CONNECTOR_INGRESS_SECRET: must have at least 32 characters");
  });

  it(
    "says that its port is in use and ends with exit code 1",
    async () => {
      const holder = createServer();
      await new Promise<void>((resolve) => holder.listen(Number(setting.environment.PORT), "127.0.0.1", resolve));
      const api = spawnApi(setting.environment);
      expect(await api.exited).toBe(1);
      expect(api.output()).toContain("(port_in_use)");
      await new Promise((resolve) => holder.close(resolve));
    },
    START_TIMEOUT_MS,
  );

  it(
    "refuses a data directory that another process holds, and leaves that process alone",
    async () => {
      const first = spawnApi(setting.environment);
      await untilReady(first);
      const port = String(await freePort());
      const second = spawnApi({ ...setting.environment, PORT: port, API_PUBLIC_URL: `http://127.0.0.1:${port}` });
      expect(await second.exited).toBe(1);
      expect(second.output()).toContain("(directory_locked)");
      expect((await fetch(`${first.url}/ready`)).status).toBe(200);
      first.child.kill("SIGTERM");
      expect(await first.exited).toBe(0);
    },
    START_TIMEOUT_MS,
  );

  it(
    "refuses a data directory that it can't read, and changes nothing in it",
    async () => {
      const data = join(setting.directory, "corrupt");
      mkdirSync(data);
      writeFileSync(join(data, "PG_VERSION"), "not a version\n");
      writeFileSync(join(data, "precious"), "keep me\n");
      const api = spawnApi({ ...setting.environment, DATABASE_URL: `pglite://${data}` });
      expect(await api.exited).toBe(1);
      expect(api.output()).toContain("(directory_corrupt)");
      expect(readFileSync(join(data, "precious"), "utf8")).toBe("keep me\n");
      expect(readFileSync(join(data, "PG_VERSION"), "utf8")).toBe("not a version\n");
      expect(readdirSync(data)).toEqual(expect.arrayContaining(["PG_VERSION", "precious"]));
    },
    START_TIMEOUT_MS,
  );
});
