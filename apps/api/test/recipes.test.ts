import { execFile, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { createReceiver } from "@hookline/dispatcher/testing";
import { xtsystems } from "@hookline/webhook-signing";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import * as recipes from "./recipes.js";
import { type ApiProcess, createSetting, type Setting, spawnApi, untilReady } from "./running-api.js";

const START_TIMEOUT_MS = 180_000;
const SECRET = "your_secure_webhook_secret";
const run = promisify(execFile);
const hasPython = spawnSync("python3", ["--version"]).status === 0 || process.env.CI === "true";

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into field by field
type Json = any;

/** With the environment that `npm start` gives it, as far as these clients can tell. */
describe("clients of the systems that the API stands in for", () => {
  let setting: Setting;
  let api: ApiProcess;

  beforeAll(async () => {
    setting = await createSetting();
    api = spawnApi({
      ...setting.environment,
      SUPPORT_WEBHOOK_OPEN: "true",
      ADDRESS_GUARD_ALLOW: "127.0.0.0/8",
      ADDRESS_GUARD_ALLOW_HTTP: "true",
    });
    await untilReady(api);
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    api?.child.kill("SIGTERM");
    await api?.exited;
    await setting?.close();
  });

  const shell = async (recipe: string, variables: Record<string, string> = {}): Promise<Json> => {
    const known = { HOST: api.url, XTSYSTEMS_API_KEY: setting.environment.API_KEY };
    const { stdout } = await run("bash", ["-c", recipe], { env: { PATH: process.env.PATH, ...known, ...variables } });
    return JSON.parse(stdout);
  };
  const call = async (method: string, path: string, body?: object): Promise<Json> => {
    const response = await fetch(api.url + path, {
      method,
      headers: { authorization: `Bearer ${setting.environment.API_KEY}`, "content-type": "application/json" },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return response.json();
  };
  const openTicket = (title: string) =>
    call("POST", "/v1/tickets", { title, description: "It burns.", priority: "high", created_by: "anna" });

  it(
    "W1 W2 W3 W4 W5 W6 W7 W8 X8 register, test, watch and remove a webhook by curl, as the service's guide says",
    async () => {
      const receiver = await createReceiver({ secret: SECRET, scheme: xtsystems });
      onTestFinished(() => receiver.close());
      for (const recipe of recipes.HEALTH) expect(await shell(recipe)).toMatchObject({ status: "ok" });
      const made = await shell(recipes.REGISTER, { RECEIVER: receiver.url });
      expect(made).toMatchObject({
        name: "Discord Bot Integration",
        active: true,
        retry_count: 3,
        timeout_seconds: 30,
      });
      const id = { WEBHOOK_ID: made.id as string };
      expect(await shell(recipes.LIST)).toMatchObject([{ id: made.id, url: receiver.url }]);
      expect((await shell(recipes.LIST))[0]).not.toHaveProperty("secret");

      expect(await shell(recipes.TEST, id)).toMatchObject({ success: true });
      await openTicket("Network Issue");
      const [test, created] = await receiver.waitFor(2, 30_000);
      expect(test).toMatchObject({ verified: true });
      expect(test?.json()).toMatchObject({ event_type: "webhook.test", data: { webhook_id: made.id } });
      expect(created).toMatchObject({ verified: true, headers: { "user-agent": "XTSystems-Webhook/1.0" } });
      expect(created?.json()).toMatchObject({ event_type: "ticket.created", data: { title: "Network Issue" } });

      await expect
        .poll(() => shell(recipes.DELIVERIES, id), { timeout: 30_000 })
        .toMatchObject([
          { event_type: "ticket.created", response_status: 200, attempts: 1, delivered_at: expect.any(String) },
          { event_type: "webhook.test", response_status: 200 },
        ]);
      expect(await shell(recipes.UPDATE, id)).toMatchObject({ active: false });
      expect(await shell(recipes.DELETE, id)).toHaveProperty("message");
      expect(await shell(recipes.LIST)).toEqual([]);
      expect(await shell(recipes.LIST, { XTSYSTEMS_API_KEY: "nobody" })).toMatchObject({ status: 401 });
    },
    START_TIMEOUT_MS,
  );

  it(
    "A1 send a ticket in by curl, and signed from Node",
    async () => {
      const accepted = { status: "success", executionId: expect.any(String) };
      expect(await shell(recipes.RECEIVE)).toMatchObject(accepted);
      const env = { PATH: process.env.PATH, HOST: api.url, WEBHOOK_SECRET: SECRET };
      const { stdout } = await run(process.execPath, ["-e", recipes.SIGNED_SENDER], { env });
      expect(JSON.parse(stdout)).toMatchObject(accepted);
      const subjects = async () => (await call("GET", "/v1/tickets")).tickets.map((one: Json) => one.subject);
      await expect
        .poll(subjects, { timeout: 30_000 })
        .toEqual(expect.arrayContaining(["Test Ticket", "Support Request"]));
    },
    START_TIMEOUT_MS,
  );

  /** Starts a receiver of another language; the lines that it says. */
  async function startProgram(command: string, args: readonly string[]) {
    const child = spawn(command, args, {
      env: { PATH: process.env.PATH, WEBHOOK_SECRET: SECRET },
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void child.kill());
    const lines: Json[] = [];
    createInterface({ input: child.stdout }).on("line", (line) => lines.push(JSON.parse(line)));
    await expect.poll(() => lines.length, { timeout: 30_000 }).toBe(1);
    return { url: lines[0].url as string, received: () => lines.slice(1) };
  }

  const verifiers = [
    { language: "Node", isThere: true, command: process.execPath, args: ["-e", recipes.NODE_RECEIVER] },
    { language: "Python", isThere: hasPython, command: "python3", args: ["-c", recipes.PYTHON_RECEIVER] },
  ];
  for (const { language, isThere, command, args } of verifiers) {
    it.skipIf(!isThere)(
      `A3 A5 verify real deliveries in ${language} (needs ${language})`,
      async () => {
        const program = await startProgram(command, args);
        const endpoint = { events: ["ticket.created"], scheme: "ai-support", profile: "support" };
        await call("POST", "/v1/endpoints", { ...endpoint, url: program.url, secret: SECRET });
        await call("POST", "/v1/endpoints", { ...endpoint, url: program.url, secret: "another-secret-0123456789" });
        await openTicket(`Größe fehlt (${language})`);
        await expect
          .poll(() => program.received().map(({ signed }) => signed), { timeout: 30_000 })
          .toEqual(expect.arrayContaining([true, false]));
        const signed = program.received().find((one) => one.signed);
        expect(signed).toMatchObject({
          event: "ticket.created",
          timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
          data: { ticket: { subject: `Größe fehlt (${language})`, status: "new" } },
          headers: {
            "content-type": "application/json",
            "x-webhook-event": "ticket.created",
            "user-agent": "AI-Support-Autoresponder/1.0",
          },
        });
      },
      START_TIMEOUT_MS,
    );
  }
});
