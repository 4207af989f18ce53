import { REST } from "@discordjs/rest";
import { type APIMessage, Routes } from "discord-api-types/v10";
import { afterEach, describe, expect, it } from "vitest";
import type { DiscordSimulatorOptions } from "../src/index.js";
import { type InteractionsApp, type Payload, startInteractionsApp } from "./interactions-app.js";
import { simulatorFactory, until } from "./started-simulator.js";
import { createTestClock } from "./test-clock.js";

const EPHEMERAL = 64;

describe("interactions over HTTP", () => {
  const start = simulatorFactory();
  const apps: InteractionsApp[] = [];
  afterEach(async () => {
    for (const app of apps.splice(0)) {
      await app.close();
    }
  });

  async function connected(answer: (payload: Payload) => unknown, options: DiscordSimulatorOptions = {}) {
    const simulator = await start(options);
    const app = await startInteractionsApp({ simulator, answer });
    apps.push(app);
    await simulator.setInteractionsUrl(app.url);
    const rest = new REST({ api: `${simulator.url}/api` }).setToken(simulator.application.botToken);
    const { id } = simulator.application;
    await rest.put(Routes.applicationCommands(id), {
      body: [
        { name: "link", description: "Link your account" },
        {
          name: "ban",
          description: "Ban somebody",
          default_member_permissions: "32",
          options: [{ type: 6, name: "who", description: "Who", required: true }],
        },
      ],
    });
    return { simulator, app, rest, anna: simulator.member("anna") };
  }

  it("N6 saves a URL only after a PING and a wrong signature were answered rightly", async () => {
    const simulator = await start();
    const good = await startInteractionsApp({ simulator, answer: () => undefined });
    const careless = await startInteractionsApp({ simulator, answer: () => undefined, verify: false });
    apps.push(good, careless);

    await expect(simulator.setInteractionsUrl(careless.url)).rejects.toMatchObject({
      code: "interactions_url_refused",
      message: expect.stringContaining("a wrong signature must be answered 401, got 200"),
    });
    await expect(simulator.setInteractionsUrl("http://127.0.0.1:1/")).rejects.toMatchObject({
      code: "interactions_url_refused",
    });
    expect((await simulator.state()).application.interactionsUrl).toBeNull();

    const rest = new REST({ api: `${simulator.url}/api` }).setToken(simulator.application.botToken);
    await rest.patch(Routes.currentApplication(), { body: { interactions_endpoint_url: good.url } });
    expect(simulator.application.interactionsUrl).toBe(good.url);
    expect(good.refused()).toBe(1);
    await expect(
      rest.patch(Routes.currentApplication(), { body: { interactions_endpoint_url: careless.url } }),
    ).rejects.toMatchObject({ code: 50035, status: 400 });

    await good.close();
    expect(await simulator.probeInteractionsUrl()).toMatchObject({ ok: false });
    expect(simulator.application.interactionsUrl).toBeNull();
  });

  it("N6 signs a command so that discord-interactions accepts it, and shows the answer to its caller only", async () => {
    const { app, anna, simulator } = await connected(() => ({ type: 4, data: { content: "Hello", flags: EPHEMERAL } }));
    const link = await anna.slash("link", {}, { channel: "support" });
    expect(await link.reply()).toMatchObject({ content: "Hello", ephemeral: true, author: { bot: true } });
    expect(app.received[0]).toMatchObject({
      type: 2,
      application_id: simulator.application.id,
      data: { name: "link", type: 1 },
      member: { user: { username: "anna" }, permissions: expect.stringMatching(/^\d+$/) },
      channel: { name: "support", type: 0 },
      guild: { locale: "en-US" },
      context: 0,
      version: 1,
    });
    const seenBy = async (name: string) => (await simulator.member(name).messages("support")).length;
    expect([await seenBy("anna"), await seenBy("ben")]).toEqual([1, 0]);
  });

  it("N6 shows the modal, hands in its fields and waits for the deferred answer", async () => {
    const { rest, anna, app, simulator } = await connected((payload) =>
      payload.type === 2 ? emailModal : { type: 5, data: { flags: EPHEMERAL } },
    );
    const link = await anna.slash("link");
    expect(link.modal).toEqual({
      customId: "link",
      title: "Link your account",
      fields: [
        expect.objectContaining({ customId: "email", label: "Email", kind: "text", required: true, maxLength: 100 }),
      ],
    });
    await expect(link.submitModal({ email: "x".repeat(101) })).rejects.toMatchObject({ code: "invalid_field" });
    await expect(link.submitModal({})).rejects.toMatchObject({ code: "invalid_field" });
    await expect(link.submitModal({ nonsense: "x" })).rejects.toMatchObject({ code: "invalid_field" });
    await expect(link.reply({ timeoutMs: 10 })).rejects.toMatchObject({ code: "no_reply" });

    const submitted = await link.submitModal({ Email: "anna@example.com" });
    expect(submitted.answer).toBe("deferred");
    expect(app.received[1]?.data).toEqual({
      custom_id: "link",
      components: [{ type: 18, id: 1, component: { type: 4, id: 2, custom_id: "email", value: "anna@example.com" } }],
    });
    const token = app.received[1]?.token ?? "";
    const reply = submitted.reply();
    await rest.patch(Routes.webhookMessage(simulator.application.id, token), {
      body: { content: "Check your inbox" },
      auth: false,
    });
    expect(await reply).toMatchObject({ content: "Check your inbox", ephemeral: true });
    await rest.post(Routes.webhook(simulator.application.id, token), { body: { content: "One more" }, auth: false });
    expect((await submitted.followUps()).map(({ content }) => content)).toEqual(["One more"]);
  });

  it("N6 changes the message whose button was pressed", async () => {
    const { rest, anna, simulator, app } = await connected(() => ({
      type: 7,
      data: { content: "Approved", components: [] },
    }));
    const channel = (await simulator.state()).guilds[0]?.channels.find(({ name }) => name === "ops")?.id ?? "";
    const button = (custom_id: string, label: string, rest = {}) => ({ type: 2, style: 1, custom_id, label, ...rest });
    const message = (await rest.post(Routes.channelMessages(channel), {
      body: {
        content: "Approve?",
        components: [{ type: 1, components: [button("a:1", "Approve"), button("d:1", "Deny", { disabled: true })] }],
      },
    })) as APIMessage;
    await expect(anna.click(message, "Deny")).rejects.toMatchObject({ code: "component_disabled" });
    await expect(anna.click(message, "Later")).rejects.toMatchObject({ code: "unknown_component" });
    const pressed = await anna.click(message, "Approve");
    expect(await pressed.reply()).toMatchObject({ id: message.id, content: "Approved", components: [] });
    expect(app.received[0]).toMatchObject({
      type: 3,
      data: { component_type: 2, custom_id: "a:1" },
      message: { id: message.id, content: "Approve?" },
    });
  });

  it("N6 sends what was chosen in a menu", async () => {
    const { rest, anna, simulator, app } = await connected(() => ({ type: 6 }));
    const channel = (await simulator.state()).guilds[0]?.channels[0]?.id ?? "";
    const options = [
      { label: "Low", value: "0" },
      { label: "High", value: "2" },
    ];
    const message = (await rest.post(Routes.channelMessages(channel), {
      body: {
        content: "Choose",
        components: [
          { type: 1, components: [{ type: 3, custom_id: "priority", options }] },
          { type: 1, components: [{ type: 5, custom_id: "who" }] },
        ],
      },
    })) as APIMessage;
    await anna.select(message, "priority", ["High"]);
    await anna.select(message, "who", ["ben"]);
    expect(app.received[0]?.data).toMatchObject({ component_type: 3, values: ["2"] });
    const ben = (await simulator.state()).guilds[0]?.members.find(({ username }) => username === "ben")?.id ?? "";
    expect(app.received[1]?.data).toMatchObject({ values: [ben], resolved: { users: { [ben]: { username: "ben" } } } });
    await expect(anna.select(message, "priority", ["None"])).rejects.toMatchObject({ code: "invalid_choice" });
  });

  it("N6 lets people use only registered commands that they may use, with options that fit", async () => {
    const { anna, simulator, app } = await connected(() => ({ type: 4, data: { content: "done" } }));
    const mod = simulator.member("mod");
    await expect(anna.slash("nothing")).rejects.toMatchObject({ code: "unknown_command" });
    await expect(anna.slash("ban", { who: "ben" })).rejects.toMatchObject({ code: "not_permitted" });
    await expect(mod.slash("ban")).rejects.toMatchObject({ code: "invalid_option" });
    await expect(mod.slash("ban", { who: "nobody" })).rejects.toMatchObject({ code: "unknown_member" });
    expect(app.received).toEqual([]);
    const banned = await simulator.member("owner").slash("ban", { who: "ben" });
    expect(await banned.reply()).toMatchObject({ content: "done", ephemeral: false });
    expect(app.received[0]?.data).toMatchObject({ options: [{ type: 6, name: "who" }] });
  });

  it("N6 shows a failure when no answer comes within 3 seconds, and refuses a late one", async () => {
    const clock = createTestClock();
    const { anna, app, rest } = await connected(() => new Promise(() => undefined), { clock });
    const slash = anna.slash("link");
    await until(() => app.received.length === 1);
    clock.advance(2_999);
    clock.advance(1);
    const link = await slash;
    expect(link).toMatchObject({
      status: "failed",
      failure: { reason: "timed_out", message: "The application did not respond" },
    });
    await expect(link.reply()).rejects.toMatchObject({ code: "interaction_failed" });
    const { id, token } = app.received[0] as Payload;
    await expect(
      rest.post(Routes.interactionCallback(id, token), { body: { type: 4, data: { content: "late" } }, auth: false }),
    ).rejects.toMatchObject({ code: 10062 });
  });

  it.each([
    ["a type that does not exist", { type: 77 }, /type/],
    ["too long a text", { type: 4, data: { content: "x".repeat(2001) } }, /2000 or fewer/],
    ["nothing to show", { type: 4, data: {} }, /empty message/],
    ["an update without a message", { type: 7, data: { content: "x" } }, /does not fit/],
    ["a modal with six fields", { type: 9, data: sixFields() }, /between 1 and 5/],
  ])("N6 shows a failure when the answer is %s", async (_, answer, detail) => {
    const { anna } = await connected(() => answer);
    const link = await anna.slash("link");
    expect(link.failure).toMatchObject({ reason: "invalid_answer", detail: expect.stringMatching(detail) });
  });

  it("N6 keeps an interaction's token for 15 minutes and its first answer for one", async () => {
    const clock = createTestClock();
    const { anna, app, rest, simulator } = await connected(() => undefined, { clock });
    const slash = anna.slash("link");
    await until(() => app.received.length === 1);
    const { id, token, application_id: application } = app.received[0] as Payload;
    const original = Routes.webhookMessage(application, token);
    await expect(rest.get(original, { auth: false })).rejects.toMatchObject({ code: 10015, status: 404 });
    const callback = () => rest.post(Routes.interactionCallback(id, token), { body: { type: 5 }, auth: false });
    await callback();
    await expect(callback()).rejects.toMatchObject({ code: 40060 });
    expect((await slash).answer).toBe("deferred");

    await simulator.faults.holdFollowUps({ forMs: 1_000 });
    await expect(rest.get(original, { auth: false })).rejects.toMatchObject({ code: 10015 });
    clock.advance(1_000);
    expect(await rest.get(original, { auth: false })).toMatchObject({ flags: 128, content: "" });
    clock.advance(15 * 60_000);
    await expect(rest.patch(original, { body: { content: "x" }, auth: false })).rejects.toMatchObject({
      code: 50027,
      status: 401,
    });
  });
});

const emailModal = {
  type: 9,
  data: {
    custom_id: "link",
    title: "Link your account",
    components: [
      {
        type: 18,
        label: "Email",
        component: { type: 4, custom_id: "email", style: 1, max_length: 100, required: true },
      },
    ],
  },
};

function sixFields() {
  const field = (index: number) => ({ type: 18, label: "L", component: { type: 4, custom_id: `f${index}`, style: 1 } });
  return { custom_id: "m", title: "T", components: [0, 1, 2, 3, 4, 5].map(field) };
}
