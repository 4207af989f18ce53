import { execFile, spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { erxes, sign } from "@hookline/webhook-signing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiProcess, createSetting, type Setting, spawnApi, untilReady } from "./running-api.js";

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into field by field
type Json = any;

const BEARER_TOKEN = "discord-bot-secret-token-12345";
const SECRET = "hmac-secret-key-xyz789";
const START_TIMEOUT_MS = 120_000;

const FIELDS = [
  { name: "userName", type: "string", description: "Discord username", required: true },
  { name: "userId", type: "string", description: "Discord user ID", required: true },
  { name: "ticketTitle", type: "string", description: "Title of the ticket", required: true },
  { name: "ticketDescription", type: "string", description: "Detailed description", required: true },
  { name: "priority", type: "number", description: "Priority level (0-3)" },
  { name: "channelName", type: "string", description: "Discord channel name" },
  { name: "timestamp", type: "string", description: "Submission timestamp" },
];

const TICKET_STEP = {
  id: "ticket",
  action: "ticket.create",
  input: {
    name: "{{ ticketTitle }}",
    description:
      "Discord Ticket from @{{ userName }} ({{ userId }})\n\nChannel: {{ channelName }}\nSubmitted: {{ timestamp }}\n\n{{ ticketDescription }}",
    team: "Triage",
    priority: "{{ priority }}",
  },
};

/** The client's recipe for testing the webhook by hand, with the host and the id of this one. */
async function recipe(api: string, sourceId: string): Promise<string> {
  const script = await readFile(new URL("./recipes/erxes-webhook.sh", import.meta.url), "utf8");
  return script.replace("https://your-erxes-domain.com", api).replace("{automation-id}", sourceId);
}

describe("an automation with an endpoint of its own", () => {
  let setting: Setting;
  let api: ApiProcess;
  let source: { readonly id: string; readonly path: string; readonly eventType: string };
  let automationId: string;

  async function start(further: Readonly<Record<string, string>> = {}) {
    const { application } = await setting.simulator.state();
    api = spawnApi({
      ...setting.environment,
      DISCORD_PUBLIC_KEY: application.publicKeyHex,
      ADDRESS_GUARD_ALLOW: "127.0.0.0/8",
      ADDRESS_GUARD_ALLOW_HTTP: "true",
      ...further,
    });
    await untilReady(api);
  }

  async function stop() {
    api?.child.kill("SIGTERM");
    await api?.exited;
  }

  async function call(method: string, path: string, body?: unknown): Promise<Json> {
    const response = await fetch(api.url + path, {
      method,
      headers: { authorization: `Bearer ${setting.environment.API_KEY}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer: Json = await response.json();
    expect(response.status, JSON.stringify(answer)).toBeLessThan(300);
    return answer;
  }

  const send = (payload: object) => {
    const body = JSON.stringify(payload);
    return fetch(api.url + source.path, {
      method: "POST",
      headers: {
        ...sign(body, { scheme: erxes, secrets: [SECRET] }),
        authorization: `Bearer ${BEARER_TOKEN}`,
        "content-type": "application/json",
      },
      body,
    });
  };
  const ticketCalled = async (title: string) =>
    (await call("GET", "/v1/tickets")).tickets.find((one: Json) => one.title === title);

  beforeAll(async () => {
    setting = await createSetting();
    await start();
    const security = { bearerToken: BEARER_TOKEN, secret: SECRET, preventReplay: true };
    source = await call("POST", "/v1/sources", { endpoint: "discord-ticket", fields: FIELDS, ...security });
    const trigger = { events: [source.eventType] };
    const automation = { name: "Discord Ticket Integration", trigger, steps: [TICKET_STEP] };
    automationId = (await call("POST", "/v1/automations", automation)).id;
    await call("POST", `/v1/automations/${automationId}/activate`);
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await stop();
    await setting?.close();
  });

  it("E7 E8 E10 E11 E12 the client's recipe with curl and openssl opens a numbered triage ticket", async (context) => {
    const missing = ["bash", "curl", "openssl", "awk"].filter((program) => spawnSync(program, ["--version"]).error);
    if (missing.length > 0) {
      if (process.env.CI === "true") throw new Error(`CI has to have ${missing.join(", ")}.`);
      return context.skip(`not installed: ${missing.join(", ")}`);
    }
    const { stdout } = await promisify(execFile)("bash", ["-c", await recipe(api.url, source.id)]);
    const answer: Json = JSON.parse(stdout);
    expect(answer).toEqual({ status: "success", executionId: expect.stringMatching(/^exe_\w+$/) });

    await expect.poll(() => ticketCalled("Test"), { timeout: 20_000 }).toBeDefined();
    expect(await ticketCalled("Test")).toMatchObject({
      ticket_number: expect.stringMatching(/^TKT-\d{4}-\d{3}$/),
      priority: "normal",
      team: "Triage",
      description: expect.stringMatching(/^Discord Ticket from @TestUser \(123\)\n\nChannel: \n[\s\S]*\n\nTesting$/),
    });
    const execution = () => call("GET", `/v1/source-executions/${answer.executionId}`);
    await expect.poll(async () => (await execution()).automations[0]?.status, { timeout: 20_000 }).toBe("succeeded");
    const { number } = (await execution()).automations[0].steps[0].output;
    expect(await execution()).toMatchObject({
      sourceId: source.id,
      status: "succeeded",
      payload: expect.stringContaining('"ticketTitle":"Test"'),
      automations: [{ automationId, error: null, steps: [{ id: "ticket", error: null, tries: 1 }] }],
    });
    expect(number).toBe((await ticketCalled("Test")).ticket_number);
  });

  it("E12 E13 shows why a ticket was not opened: fields that do not fit, an input that will not do, a caller refused", async () => {
    const ticket = { userName: "anna", userId: "1", ticketTitle: "Burning", ticketDescription: "It burns." };
    const unfit = await send({ ...ticket, priority: "high" });
    expect([unfit.status, await unfit.json()]).toMatchObject([
      400,
      { errors: [{ pointer: "/body/priority", message: "must be a number" }] },
    ]);
    expect((await fetch(api.url + source.path, { method: "POST", body: "{}" })).status).toBe(401);
    const answered: Json = await (await send({ ...ticket, priority: 99 })).json();
    const run = async () => (await call("GET", `/v1/source-executions/${answered.executionId}`)).automations[0];
    await expect.poll(async () => (await run())?.status, { timeout: 20_000 }).toBe("failed");
    expect((await run()).error).toMatch(/priority/);

    const { executions, totals } = await call("GET", `/v1/source-executions?sourceId=${source.id}&status=failed`);
    expect(executions).toMatchObject([{ errorCode: "validation_failed", durationMs: expect.any(Number) }]);
    expect(totals.failureRate).toBeGreaterThan(0);
    const { refusals } = await call("GET", `/v1/source-refusals?sourceId=${source.id}`);
    expect(refusals).toMatchObject([{ reason: "bearer_missing", address: "127.0.0.1" }]);
  });

  it(
    "E1 E2 E3 E10 E11 `/ticket` of another server reaches it with both signatures, and its member is told the execution's id",
    async () => {
      await stop();
      await start({
        ERXES_WEBHOOK_URL: setting.environment.API_PUBLIC_URL + source.path,
        ERXES_BEARER_TOKEN: BEARER_TOKEN,
        ERXES_HMAC_SECRET: SECRET,
      });
      await setting.simulator.setInteractionsUrl(`${api.url}/v1/connectors/discord/interactions`);
      const anna = setting.simulator.member("anna");
      const modal = await anna.slash("ticket", {}, { channel: "support" });
      const submitted = await modal.submitModal({
        Title: "From Discord",
        Description: "White page.",
        Priority: "urgent",
      });
      const { content } = await submitted.reply({ timeoutMs: 25_000 });
      const [executionId] = /exe\\?_\w+/.exec(content) ?? [];
      await expect.poll(() => ticketCalled("From Discord"), { timeout: 20_000 }).toBeDefined();
      expect(await ticketCalled("From Discord")).toMatchObject({
        priority: "urgent",
        description: expect.stringMatching(
          /^Discord Ticket from @anna \(\d+\)\n\nChannel: support\nSubmitted: .*Z\n\nWhite page\.$/,
        ),
      });
      const id = executionId?.replaceAll("\\", "");
      expect(await call("GET", `/v1/source-executions/${id}`)).toMatchObject({ status: "succeeded" });

      const fields = [...FIELDS, { name: "category", type: "string", required: true }];
      await call("PATCH", `/v1/sources/${source.id}`, { fields });
      const second = await anna.slash("ticket", {}, { channel: "support" });
      const refused = await second.submitModal({ Title: "No category", Description: "-", Priority: "low" });
      const reason = (await refused.reply({ timeoutMs: 25_000 })).content.replaceAll("\\", "");
      expect(reason).toContain("refused the ticket (400): category is required.");
    },
    START_TIMEOUT_MS,
  );

  it(
    "ends a loop of tickets that open tickets after ten in a row",
    async () => {
      const { id } = await call("POST", "/v1/automations", {
        name: "Loop",
        trigger: { events: ["ticket.created"] },
        condition: { "data.title": "Loop" },
        steps: [{ id: "again", action: "ticket.create", input: { name: "{{ title }}", description: "Again." } }],
      });
      await call("POST", `/v1/automations/${id}/activate`);
      await call("POST", "/v1/tickets", { title: "Loop", description: "-", priority: "low", created_by: "anna" });
      const totals = async () => (await call("GET", `/v1/automations/${id}/executions`)).totals;
      await expect.poll(totals, { timeout: 20_000 }).toEqual({ succeeded: 10, failed: 1, skipped: 0 });
    },
    START_TIMEOUT_MS,
  );
});
