import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { SMTPServer } from "smtp-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasRedis, startRedis } from "./redis-server.js";
import {
  type ApiProcess,
  createSetting,
  freePort,
  type Setting,
  spawnApi,
  untilReady,
  untilRegistered,
} from "./running-api.js";

const START_TIMEOUT_MS = 180_000;
const POSTHOG = "https://posthog.example.com";

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly path?: string;
}

const linesOf = (text: string): Line[] =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);

describe.skipIf(!hasRedis)("the API with Redis, a mail server, PostHog and log files (needs redis-server)", () => {
  let setting: Setting;
  let api: ApiProcess;
  let redis: Awaited<ReturnType<typeof startRedis>>;
  let redisPort: number;
  const mails: { readonly to: string; readonly source: string }[] = [];
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const to = session.envelope.rcptTo[0]?.address ?? "";
        mails.push({ to, source: Buffer.concat(chunks).toString() });
        callback();
      });
    },
  });

  beforeAll(async () => {
    setting = await createSetting();
    redisPort = await freePort();
    redis = await startRedis(redisPort);
    smtp.listen(0, "127.0.0.1");
    await once(smtp.server, "listening");
    const { LOCAL_MAIL_OUTBOX: _, ...environment } = setting.environment;
    api = spawnApi({
      ...environment,
      DISCORD_PUBLIC_KEY: setting.simulator.application.publicKeyHex,
      REDIS_URL: `redis://127.0.0.1:${redisPort}`,
      SMTP_URL: `smtp://127.0.0.1:${(smtp.server.address() as AddressInfo).port}`,
      SMTP_TLS: "optional",
      MAIL_FROM: "Acme <hooks@example.com>",
      POSTHOG_PROJECT_KEY: "phc_abc",
      POSTHOG_HOST: `${POSTHOG}/`,
      LOG_DIRECTORY: join(setting.directory, "logs"),
    });
    await untilReady(api);
    await untilRegistered(setting.simulator, "link");
    await setting.simulator.setInteractionsUrl(`${api.url}/v1/connectors/discord/interactions`);
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    api?.child.kill("SIGTERM");
    await api?.exited;
    await redis?.stop();
    await new Promise<void>((resolve) => smtp.close(() => resolve()));
    await setting?.close();
  });

  const link = async (member: string, email: string) => {
    const modal = await setting.simulator.member(member).slash("link", {}, { channel: "general" });
    return (await modal.submitModal({ email })).reply();
  };
  const log = (name: string) => linesOf(readFileSync(join(setting.directory, "logs", name), "utf8"));

  it("X8 /health tells that the process is up, by GET and POST, and /ready what it needs", async () => {
    for (const method of ["GET", "POST"]) {
      const health = await fetch(`${api.url}/health`, { method });
      expect([health.status, await health.json()]).toEqual([200, { status: "ok", uptimeSeconds: expect.any(Number) }]);
    }
    const ready = (await (await fetch(`${api.url}/ready`)).json()) as { checks: object };
    expect(Object.keys(ready.checks).sort()).toEqual(["database", "dispatcher", "redis"]);
  });

  it(
    "H3 H4 mails the link of /link over the mail server, counts in Redis, and the page tells PostHog",
    async () => {
      expect((await link("ben", "ben@example.com")).content).toMatch(/inbox/i);
      await expect.poll(() => mails.map(({ to }) => to), { timeout: 30_000 }).toEqual(["ben@example.com"]);
      const source = (mails[0]?.source ?? "").replaceAll("=\r\n", "").replaceAll("=3D", "=");
      expect(source).toMatch(/^From: Acme <hooks@example\.com>\r?$/m);
      const token = /token=([\w-]{43})/.exec(source)?.[1] ?? "";
      const page = await fetch(`${api.url}/connect/discord`, { method: "POST", body: new URLSearchParams({ token }) });
      expect(page.status).toBe(200);
      expect(page.headers.get("content-security-policy")).toContain(`connect-src ${POSTHOG}`);
      expect(await page.text()).toMatch(/data-key="phc_abc"/);
      expect(api.output()).not.toMatch(new RegExp(`${token}|ben@example`));
    },
    START_TIMEOUT_MS,
  );

  it(
    "X9 logs one JSON object a line, errors apart on stderr and in a file; H4 H7 without Redis nothing passes that it counts",
    async () => {
      await redis.stop();
      await expect.poll(async () => (await fetch(`${api.url}/ready`)).status, { timeout: 30_000 }).toBe(503);
      expect((await fetch(`${api.url}/health`)).status).toBe(200);
      expect((await fetch(`${api.url}/v1/connectors/discord/oauth/callback`)).status).toBe(503);
      expect(mails).toHaveLength(1);
      await expect.poll(() => log("error.log").map(({ msg }) => msg), { timeout: 30_000 }).toContain("Redis is away");

      redis = await startRedis(redisPort);
      await expect.poll(async () => (await fetch(`${api.url}/ready`)).status, { timeout: 30_000 }).toBe(200);
      expect((await fetch(`${api.url}/v1/connectors/discord/oauth/callback`)).status).not.toBe(503);

      // What stands in a file may still be on its way through a pipe.
      const written = () => [linesOf(api.errors()).length, linesOf(api.output()).length];
      await expect.poll(written).toEqual([log("error.log").length, log("combined.log").length]);
      const [errors, combined] = [log("error.log"), log("combined.log")];
      expect(errors.every(({ level }) => level >= 50)).toBe(true);
      expect(linesOf(api.errors())).toEqual(errors);
      expect(combined).toEqual(expect.arrayContaining(errors));
      expect(combined).toContainEqual(expect.objectContaining({ level: 30, msg: "request", path: "/health" }));
      expect(linesOf(api.output())).toEqual(expect.arrayContaining(combined));
    },
    START_TIMEOUT_MS,
  );

  it(
    "ends with a code when Redis can't be reached at its start, and names what is wrong in the environment",
    async () => {
      const other = await createSetting();
      const { environment } = other;
      const unreachable = spawnApi({ ...environment, REDIS_URL: `redis://127.0.0.1:${await freePort()}` });
      const wrong = spawnApi({ ...environment, REDIS_URL: "http://localhost", POSTHOG_PROJECT_KEY: "secret" });
      expect(await wrong.exited).toBe(1);
      for (const name of ["REDIS_URL", "POSTHOG_PROJECT_KEY"]) expect(wrong.output()).toContain(`  ${name}: `);
      expect(await unreachable.exited).toBe(1);
      expect(unreachable.output()).toContain("(redis_unavailable)");
      await other.close();
    },
    START_TIMEOUT_MS,
  );
});
