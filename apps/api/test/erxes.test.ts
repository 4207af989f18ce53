import { createReceiver, type Receiver, type ReceiverAnswer } from "@hookline/dispatcher/testing";
import { erxes } from "@hookline/webhook-signing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ApiProcess, createSetting, type Setting, spawnApi, untilReady, untilRegistered } from "./running-api.js";

const SECRET = "hmac-secret-key-of-the-automation";
const TOKEN = "discord-bot-secret-token-12345";

describe("/ticket to an erxes automation", () => {
  let setting: Setting;
  let api: ApiProcess;
  let automation: Receiver;
  let answers: ReceiverAnswer[] = [];

  beforeAll(async () => {
    setting = await createSetting();
    automation = await createReceiver({
      secret: SECRET,
      scheme: erxes,
      answer: () => answers.shift() ?? { body: JSON.stringify({ status: "success", executionId: "exec-1" }) },
    });
    const { application, guilds } = await setting.simulator.state();
    const support = guilds[0]?.channels.find(({ name }) => name === "support")?.id;
    api = spawnApi({
      ...setting.environment,
      DISCORD_PUBLIC_KEY: application.publicKeyHex,
      DISCORD_WEBHOOK_CHANNELS: JSON.stringify({ "ticket.created": [support] }),
      ADDRESS_GUARD_ALLOW: "127.0.0.0/8",
      ADDRESS_GUARD_ALLOW_HTTP: "true",
      ERXES_WEBHOOK_URL: automation.url,
      ERXES_BEARER_TOKEN: TOKEN,
      ERXES_HMAC_SECRET: SECRET,
      TICKET_PRIORITIES: '{"Low":0,"Normal":1,"High":2,"Urgent":3,"Critical":4}',
      TICKET_FIELDS: '[{"name":"category","label":"Category","placeholder":"Technical, Billing"}]',
    });
    await untilReady(api);
    await untilRegistered(setting.simulator, "ticket");
    await setting.simulator.setInteractionsUrl(`${api.url}/v1/connectors/discord/interactions`);
  }, 120_000);
  afterAll(async () => {
    api?.child.kill("SIGTERM");
    await api?.exited;
    await automation?.close();
    await setting?.close();
  });
  beforeEach(() => {
    answers = [];
  });

  /** Runs `/ticket` and answers what the member reads in the end. */
  async function submit(title: string): Promise<string> {
    // As a person reads it: a backslash keeps Discord from reading markup.
    return (await reply(title)).content.replaceAll("\\", "");
  }

  async function reply(title: string): Promise<{ content: string; embeds: readonly object[] }> {
    const anna = setting.simulator.member("anna");
    const modal = await anna.slash("ticket", {}, { channel: "support" });
    const submitted = await modal.submitModal({
      Title: title,
      Description: "White page.",
      Priority: "critical",
      Category: "Technical",
    });
    const { content, embeds, ephemeral } = await submitted.reply({ timeoutMs: 25_000 });
    expect(ephemeral).toBe(true);
    return { content, embeds };
  }
  const requestsFor = (title: string) => automation.requests.filter(({ body }) => body.includes(title));

  it("E1 E2 E3 E5 arrives signed in both ways, is answered with its id and shown in the channel", async () => {
    answers = [{ body: JSON.stringify({ success: true, message: "ok", executionId: "exec-77", number: 1042 }) }];
    expect(await submit("Cannot sign in")).toContain("1042");
    const [request] = requestsFor("Cannot sign in");
    expect(request?.verified).toBe(true);
    expect(request?.headers).toMatchObject({
      authorization: `Bearer ${TOKEN}`,
      "x-erxes-timestamp": expect.stringMatching(/^\d{10}$/),
      "x-erxes-signature": expect.stringMatching(/^sha256=[0-9a-f]{64}$/),
      "x-timestamp": expect.stringMatching(/^\d{13}$/),
      "x-hub-signature-256": expect.stringMatching(/^sha256=[0-9a-f]{64}$/),
    });
    expect(request?.json()).toMatchObject({
      userName: "anna",
      userId: expect.stringMatching(/^\d+$/),
      ticketTitle: "Cannot sign in",
      ticketDescription: "White page.",
      priority: 4,
      category: "Technical",
      channelName: "support",
      timestamp: expect.stringMatching(/Z$/),
    });
    const shown = await setting.simulator.waitForMessage(({ embeds }) => embeds[0]?.title === "1042 · Cannot sign in", {
      channel: "support",
    });
    expect(shown.embeds[0]).toMatchObject({ color: 0xe74c3c });
    // The desk does not have the ticket, so nothing can be done with it from here.
    expect(shown.components ?? []).toEqual([]);
  });

  it("E3 answers with the execution's id where there is no number", async () => {
    expect(await submit("No number")).toContain("exec-1");
  });

  it("E3 says that the ticket is open, and shows it without a number, where the answer tells none", async () => {
    answers = [{ body: "" }];
    expect(await submit("Empty answer")).toBe("Your ticket is open. The desk has it now.");
    await setting.simulator.waitForMessage(({ embeds }) => embeds[0]?.title === "Empty answer", { channel: "support" });
  });

  it.each([
    [JSON.stringify({ success: false, message: "The automation is not active." }), /refused the ticket: The autom/],
    [JSON.stringify({ status: "error", error: "no team" }), /refused the ticket: no team\. /],
    ["<!doctype html><title>Sign in</title>", /web page: its address here may be wrong/],
  ])("E3 takes a 200 that says %s as a refusal", async (body, reason) => {
    answers = [{ body }];
    const title = `Refused by ${body.length}`;
    expect(await submit(title)).toMatch(reason);
    expect(requestsFor(title)).toHaveLength(1);
  });

  it("E3 gives back what the member wrote when the ticket was not taken", async () => {
    answers = [{ status: 401 }];
    const { content, embeds } = await reply("Lost otherwise");
    expect(content).toContain("`/ticket` opens the form again. You wrote:");
    expect(embeds).toMatchObject([{ title: "Lost otherwise", description: "White page." }]);
  });

  it("E4 tries three times, and tells the reason after the third", async () => {
    answers = [{ status: 503 }, { status: 429 }];
    expect(await submit("Third time")).toContain("exec-1");
    expect(requestsFor("Third time")).toHaveLength(3);
    answers = [{ status: 429 }, { status: 429 }, { status: 429 }];
    expect(await submit("Too many")).toMatch(/no more tickets for now \(429\)/);
    expect(requestsFor("Too many")).toHaveLength(3);
  });

  it.each([
    [401, "{}", /credentials \(401\)/],
    [403, "{}", /credentials \(403\)/],
    [400, JSON.stringify({ message: "ticketTitle is required" }), /\(400\): ticketTitle is required/],
    [
      400,
      JSON.stringify({
        title: "Bad Request",
        detail: "The request is not valid.",
        errors: [
          { pointer: "#/category", detail: "is not known" },
          { pointer: "/body/priority", message: "is too high" },
        ],
      }),
      /\(400\): category is not known; priority is too high\. /,
    ],
    [422, JSON.stringify({ detail: "No such team." }), /\(422\): No such team\. /],
    [302, "", /failed \(302\)/],
  ])("E3 tells a plain reason for %i %s and does not try again", async (status, body, reason) => {
    answers = [{ status, body, headers: { location: automation.url } }];
    const title = `Refused with ${status} ${body.length}`;
    expect(await submit(title)).toMatch(reason);
    expect(requestsFor(title)).toHaveLength(1);
  });

  it("refuses half of the settings at the start, and names what is missing", async () => {
    const half = spawnApi({ ...setting.environment, ERXES_WEBHOOK_URL: automation.url });
    expect(await half.exited).toBe(1);
    expect(half.output()).toContain("ERXES_BEARER_TOKEN: goes together with ERXES_WEBHOOK_URL, ERXES_HMAC_SECRET");
  });
});
