import { afterEach, describe, expect, it } from "vitest";
import { button, defineButton, defineCommand, defineModal, reply, showModal, updateMessage } from "../src/index.js";
import { INTERACTION_TOKEN, press, slash, snowflake, startApp, submit, type TestApp } from "./support/app.js";
import { faultsByDiscord } from "./support/discord-schemas.js";

let app: TestApp;
afterEach(() => app.close());

const EPHEMERAL = 64;

describe("deferred handlers", () => {
  const slow = (run: (attempt: number) => string, ephemeral?: boolean) =>
    defineCommand({
      name: "slow",
      description: "Slow",
      answer: "deferred",
      ...(ephemeral === undefined ? {} : { ephemeral }),
      run: async ({ attempt }) => reply(run(attempt)),
    });
  const original = `/webhooks/100000000000000001/${INTERACTION_TOKEN}/messages/@original`;

  it("shows thinking at once, and the answer once it is there", async () => {
    app = await startApp({ commands: [slow(() => "done")] });
    expect((await app.interact(slash("slow"))).body).toEqual({ type: 5, data: { flags: EPHEMERAL } });
    expect(app.sent).toHaveLength(1);
    expect(await app.deliver()).toEqual([["delivered"]]);
    expect(app.discord.calls).toHaveLength(1);
    expect(app.discord.calls[0]).toMatchObject({ method: "PATCH", path: original, body: { content: "done" } });
    expect(
      await faultsByDiscord(
        "IncomingWebhookUpdateForInteractionCallbackRequestPartialSchema",
        app.discord.calls[0]?.body,
      ),
    ).toEqual([]);
  });

  it("shows thinking to everybody where the definition says so", async () => {
    app = await startApp({ commands: [slow(() => "done", false)] });
    expect((await app.interact(slash("slow"))).body).toEqual({ type: 5, data: {} });
  });

  it("E4 keeps the follow-up until 14.5 minutes after the interaction, once, with the token in the target only", async () => {
    app = await startApp({ commands: [slow(() => "done")] });
    const id = snowflake(Date.parse("2026-01-15T10:30:00.000Z"));
    await app.interact(slash("slow", { id }));
    const [message] = app.sent;
    expect(message?.deadline).toEqual(new Date("2026-01-15T10:44:30.000Z"));
    expect(message?.idempotencyKey).toContain(id);
    // Whoever exports or erases the member finds it.
    expect(message?.subjectIds).toEqual([expect.stringMatching(/^discord:\d+$/)]);
    expect(JSON.stringify(message?.data)).not.toContain(INTERACTION_TOKEN);
    expect(JSON.stringify(message?.target)).toContain(INTERACTION_TOKEN);
  });

  it("apologises instead of thinking when the follow-up could not be stored", async () => {
    app = await startApp({ commands: [slow(() => "done")] }, { send: () => Promise.reject(new Error("away")) });
    expect((await app.interact(slash("slow"))).body).toMatchObject({ type: 4, data: { flags: EPHEMERAL } });
  });

  it("waits for Discord to know the interaction when the follow-up is faster than the answer", async () => {
    app = await startApp({ commands: [slow(() => "done")] });
    await app.interact(slash("slow"));
    const unknown = { status: 404, body: { code: 10015, message: "Unknown Webhook" } };
    app.discord.next.push(unknown, unknown);
    expect(await app.deliver()).toEqual([["delivered"]]);
    expect(app.discord.calls).toHaveLength(3);
  });

  it("honours retry_after", async () => {
    app = await startApp({ commands: [slow(() => "done")] });
    await app.interact(slash("slow"));
    app.discord.next.push({ status: 429, body: { retry_after: 0.3 }, headers: { "retry-after": "1" } });
    const started = performance.now();
    expect(await app.deliver()).toEqual([["delivered"]]);
    expect(performance.now() - started).toBeGreaterThanOrEqual(990);
  });

  it("E4 tries a crashed handler again, and apologises after the third time", async () => {
    app = await startApp({
      commands: [
        slow((attempt) => {
          if (attempt < 3) throw new Error("boom");
          return "done at last";
        }),
      ],
    });
    await app.interact(slash("slow"));
    expect(await app.deliver()).toEqual([["retry", "retry", "delivered"]]);
    expect(app.discord.calls.map((call) => call.body.content)).toEqual(["done at last"]);
    await app.close();

    app = await startApp({
      commands: [
        slow(() => {
          throw new Error("boom");
        }),
      ],
    });
    await app.interact(slash("slow"));
    expect(await app.deliver()).toEqual([["retry", "retry", "dead"]]);
    expect(app.discord.calls.map((call) => call.body.content)).toEqual([expect.stringContaining("went wrong")]);
  });

  it("apologises when the time is over, and when a deploy has taken the handler away", async () => {
    app = await startApp({ commands: [slow(() => "done")] });
    await app.interact(slash("slow"));
    await app.expire();
    expect(app.discord.calls.map((call) => call.body.content)).toEqual([expect.stringContaining("went wrong")]);

    await app.interact(slash("slow"));
    const [left] = app.sent.splice(0);
    await app.close();
    app = await startApp();
    if (left) app.sent.push(left);
    expect(await app.deliver()).toEqual([["dead"]]);
    expect(app.discord.calls).toHaveLength(1);
  });

  it("does a deferred handler's work once while Discord is down, and shows the answer at the last even when late", async () => {
    let runs = 0;
    app = await startApp({
      commands: [
        slow(() => {
          runs += 1;
          return `work ${runs}`;
        }),
      ],
    });
    await app.interact(slash("slow"));
    const left = [...app.sent];
    app.discord.next.push({ status: 503 }, { status: 503 });
    expect(await app.deliver({ maxAttempts: 2 })).toEqual([["retry", "retry"]]);
    app.sent.push(...left);
    await app.expire();
    expect(runs).toBe(1);
    expect(app.discord.calls.map((call) => call.body.content)).toEqual(["work 1", "work 1", "work 1"]);
  });

  it("waits for a handler that outlasts its attempt instead of running it again", async () => {
    let runs = 0;
    let finish = () => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const slowly = defineCommand({
      name: "slowly",
      description: "Slow",
      answer: "deferred",
      run: async () => {
        runs += 1;
        await finished;
        return reply(`work ${runs}`);
      },
    });
    app = await startApp({ commands: [slowly] });
    await app.interact(slash("slowly"));
    const left = [...app.sent];
    const first = app.deliver();
    app.sent.push(...left);
    const second = app.deliver();
    finish();
    expect(await Promise.all([first, second])).toEqual([[["delivered"]], [["delivered"]]]);
    expect(runs).toBe(1);
  });

  it("tries again while Discord is down, and gives up when the token is over", async () => {
    app = await startApp({ commands: [slow(() => "done")] });
    await app.interact(slash("slow"));
    app.discord.next.push({ status: 503 });
    expect(await app.deliver()).toEqual([["retry", "delivered"]]);
    await app.interact(slash("slow"));
    app.discord.answer = () => ({ status: 401, body: { code: 50027, message: "Invalid Webhook Token" } });
    expect(await app.deliver()).toEqual([["dead"]]);
  });

  it("changes the button's message later, or adds a private reply and leaves it alone", async () => {
    const later = defineButton({
      name: "later",
      params: ["what"],
      answer: "deferred-update",
      run: async ({ params }) =>
        params.what === "update" ? updateMessage({ content: "changed" }) : reply("only for you"),
    });
    const show = defineCommand({
      name: "show",
      description: "Shows",
      answer: "immediate",
      run: () =>
        reply({ buttons: ["update", "reply"].map((what) => button(later, { label: what, params: { what } })) }),
    });
    app = await startApp({ commands: [show], components: [later] });
    const { body } = await app.interact(slash("show"));
    for (const { custom_id } of body.data.components[0].components) {
      expect((await app.interact(press(custom_id))).body).toEqual({ type: 6 });
    }
    expect(await app.deliver()).toEqual([["delivered"], ["delivered"]]);
    expect(app.discord.calls.map(({ method, path, body: sent }) => [method, path, sent.content, sent.flags])).toEqual([
      ["PATCH", original, "changed", undefined],
      ["POST", original.replace("/messages/@original", ""), "only for you", EPHEMERAL],
    ]);
  });

  it("writes no token and nothing that was typed to the log, whatever goes wrong", async () => {
    const form = defineModal({
      name: "form",
      title: "Form",
      fields: { words: { kind: "text", label: "Words" } },
      answer: "deferred",
      run: async () => {
        throw new Error("boom");
      },
    });
    const open = defineCommand({ name: "open", description: "Opens", answer: "immediate", run: () => showModal(form) });
    app = await startApp({ commands: [open], components: [form] });
    const opened = await app.interact(slash("open"));
    await app.interact(submit(opened.body.data.custom_id, { words: "typed-words" }));
    expect(JSON.stringify(app.sent.map((one) => one.data))).not.toContain("typed-words");
    app.discord.answer = () => ({ status: 500 });
    await app.deliver({ maxAttempts: 3 });
    expect(app.log.length).toBeGreaterThan(0);
    expect(app.log.join("\n")).not.toMatch(new RegExp(`${INTERACTION_TOKEN}|typed-words`));
  });
});
