import { createHmac } from "node:crypto";
import { github, type Scheme, sign, standardWebhooks, stripe } from "@hookline/webhook-signing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiProcess, createSetting, type Setting, spawnApi, untilReady } from "./running-api.js";

const SECRET = "a-secret-of-the-other-systems-0123456789";
const STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

describe("webhooks that come in", () => {
  let setting: Setting;
  let api: ApiProcess;

  beforeAll(async () => {
    setting = await createSetting();
    const { guilds } = await setting.simulator.state();
    const ops = guilds[0]?.channels.find(({ name }) => name === "ops")?.id;
    api = spawnApi({
      ...setting.environment,
      XTSYSTEMS_WEBHOOK_SECRET: SECRET,
      SUPPORT_WEBHOOK_SECRET: SECRET,
      GITHUB_WEBHOOK_SECRET: `${SECRET},the-secret-before-this-one`,
      STRIPE_WEBHOOK_SECRET: SECRET,
      STANDARD_WEBHOOK_SECRET: STANDARD_SECRET,
      ADDRESS_GUARD_ALLOW: "127.0.0.0/8",
      ADDRESS_GUARD_ALLOW_HTTP: "true",
      DISCORD_WEBHOOK_CHANNELS: JSON.stringify({ ticket_created: [ops] }),
    });
    await untilReady(api);
  }, 120_000);
  afterAll(async () => {
    api?.child.kill("SIGTERM");
    await api?.exited;
    await setting?.close();
  });

  const read = async (path: string) => {
    const headers = { authorization: `Bearer ${setting.environment.API_KEY}` };
    return (await (await fetch(api.url + path, { headers })).json()) as Record<string, { type: string }[]>;
  };
  const post = (path: string, body: string, headers: Record<string, string>) =>
    fetch(api.url + path, { method: "POST", body, headers: { "content-type": "application/json", ...headers } });

  it("X1 X2 a ticket of an XTSystems platform, which says less than ours do, becomes an embed in its channel", async () => {
    const timestamp = String(Math.floor(Date.now() / 1000));
    const data = {
      id: "ticket-uuid",
      seq_id: 1001,
      title: "Network Issue",
      status: "open",
      priority: "high",
      created_by: "user@example.com",
      created_at: "2024-01-15T10:30:00Z",
    };
    const body = JSON.stringify({ event_type: "ticket.created", data, timestamp: Number(timestamp) });
    const signature = createHmac("sha256", SECRET)
      .update(timestamp + body)
      .digest("hex");
    const headers = { "x-xtsystems-timestamp": timestamp, "x-xtsystems-signature": `sha256=${signature}` };
    expect((await post("/webhooks/xtsystems", body.replace("high", "low"), headers)).status).toBe(401);
    expect((await post("/webhooks/xtsystems", body, headers)).status).toBe(200);
    const message = await setting.simulator.waitForMessage(({ embeds }) => embeds[0]?.title === "Network Issue", {
      channel: "ops",
    });
    expect(message.embeds[0]).toMatchObject({ color: 0xe67e22 });
  });

  it("A1 E10 a ticket of the support webhook becomes a numbered ticket of the desk, by an automation", async () => {
    const data = {
      subject: "Test Ticket",
      message: "This is a test",
      customer_email: "test@example.com",
      customer_name: "John Doe",
      priority: "medium",
      category: "Technical",
    };
    const body = JSON.stringify({ event: "ticket.create", data });
    const signature = createHmac("sha256", SECRET).update(body).digest("hex");
    expect((await post("/api/webhooks/receive", body, {})).status).toBe(401);
    const accepted = await post("/api/webhooks/receive", body, { "x-webhook-signature": signature });
    expect(await accepted.json()).toMatchObject({ status: "success", executionId: expect.any(String) });
    await expect
      .poll(async () => (await read("/v1/tickets")).tickets, { timeout: 20_000 })
      .toMatchObject([
        {
          ticket_number: expect.stringMatching(/^TKT-\d{4}-001$/),
          subject: "Test Ticket",
          priority: "normal",
          category: "Technical",
          customer_email: "test@example.com",
        },
      ]);
    const { contacts } = await read("/v1/contacts");
    expect(contacts).toMatchObject([{ identities: [{ kind: "email", value: "test@example.com" }] }]);
  });

  it("takes what GitHub, Stripe and senders of Standard Webhooks sign, each at its path with its own secret", async () => {
    const invoice = { type: "invoice.sent", timestamp: "2026-01-01T00:00:00Z", data: { number: "I-1" } };
    const cases: [string, Scheme, string, object][] = [
      ["github", github, "the-secret-before-this-one", { ref: "refs/heads/main" }],
      ["stripe", stripe, SECRET, { id: "evt_1", type: "invoice.paid", created: 1_767_225_600 }],
      ["standard", standardWebhooks, STANDARD_SECRET, invoice],
    ];
    for (const [name, scheme, secret, payload] of cases) {
      const body = JSON.stringify(payload);
      const signed = (text: string) => sign(text, { scheme, secrets: [secret], id: "msg_1" });
      const path = `/webhooks/${name}`;
      expect((await post(path, body, { "x-github-event": "push", ...signed(`${body} `) })).status).toBe(401);
      expect((await post(path, body, { "x-github-event": "push", ...signed(body) })).status).toBe(200);
    }
    const { events } = await read("/v1/events");
    expect(events?.map(({ type }) => type)).toEqual(
      expect.arrayContaining(["github.push", "stripe.invoice.paid", "invoice.sent"]),
    );
  });
});
