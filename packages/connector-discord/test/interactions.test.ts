import { type Clock, systemClock } from "@hookline/core";
import { afterEach, describe, expect, it } from "vitest";
import { defineCommand, reply } from "../src/index.js";
import { interaction, press, slash, snowflake, startApp, submit, type TestApp } from "./support/app.js";

let app: TestApp;
afterEach(() => app.close());

const EPHEMERAL = 64;
const now = () => Math.floor(Date.now() / 1000);

describe("the interactions route", () => {
  it("H5 H6 answers a PING with a PONG", async () => {
    app = await startApp();
    const answer = await app.interact({ id: snowflake(), type: 1, version: 1, token: "t", application_id: "1" });
    expect(answer).toMatchObject({ status: 200, body: { type: 1 } });
  });

  it.each([
    ["a body that was changed", { tamper: true }, "signature_mismatch"],
    ["a signature over 5 minutes old", { timestamp: now() - 301 }, "timestamp_too_old"],
    ["a signature from the future", { timestamp: now() + 400 }, "timestamp_too_new"],
    ["another key's signature", { headers: { "x-signature-ed25519": "ab".repeat(64) } }, "signature_mismatch"],
    ["a signature that is not hex", { headers: { "x-signature-ed25519": "zz" } }, "malformed_header"],
    ["no timestamp", { headers: { "x-signature-timestamp": "" } }, "missing_header"],
  ])("H5 answers 401 to %s, as Discord's probe expects", async (_what, options, code) => {
    app = await startApp();
    expect(await app.interact({ type: 1 }, options)).toMatchObject({ status: 401, body: { code } });
  });

  it("H5 accepts each interaction once, however valid the signature still is", async () => {
    let runs = 0;
    const count = defineCommand({
      name: "count",
      description: "Counts",
      answer: "immediate",
      run: () => reply(`run ${++runs}`),
    });
    app = await startApp({ commands: [count] });
    const body = slash("count");
    expect(await app.interact(body)).toMatchObject({ status: 200 });
    expect(await app.interact(body)).toMatchObject({ status: 409, body: { code: "interaction_replayed" } });
    expect(runs).toBe(1);
  });

  it("says what an interaction lacks", async () => {
    app = await startApp();
    const detailOf = async (change: object) => (await app.interact(interaction(2, {}, change))).body.detail;
    expect(await detailOf({ member: undefined })).toBe("The interaction lacks a member or a user.");
    expect(await detailOf({ token: undefined })).toBe("The interaction lacks token.");
  });

  it.each([
    ["not JSON", "{", "invalid_json"],
    ["no interaction", "[]", "invalid_interaction"],
    ["an interaction of nobody", JSON.stringify(interaction(2, {}, { member: undefined })), "invalid_interaction"],
  ])("answers 400 to %s", async (_what, rawBody, code) => {
    app = await startApp();
    expect(await app.interact({}, { rawBody })).toMatchObject({ status: 400, body: { code } });
  });

  it.each([
    ["an unknown command", slash("nobody-knows"), 4],
    ["an unknown kind of command", interaction(2, { name: "link", type: 3, target_id: "1" }), 4],
    ["a button of somebody else's", press("their-button"), 4],
    ["a button whose signature is wrong", press("h1:b:approve:42:AAAAAAAAAAAAAAAA"), 4],
    ["a form of somebody else's", submit("their-form", { a: "b" }), 4],
    ["an autocomplete", interaction(4, { name: "link", type: 1, options: [] }), 8],
    ["a type that does not exist yet", interaction(99, {}), 4],
    ["a command without data", interaction(2, undefined), 4],
  ])("answers %s, so that nobody is left waiting", async (_what, body, type) => {
    app = await startApp();
    const answer = await app.interact(body);
    expect(answer).toMatchObject({ status: 200, body: { type } });
    if (type === 4) expect(answer.body.data.flags).toBe(EPHEMERAL);
  });

  it("answers in a server that belongs to no tenant", async () => {
    app = await startApp({ resolveTenant: () => null });
    expect((await app.interact(slash("link"))).body).toMatchObject({ type: 4, data: { flags: EPHEMERAL } });
  });

  it("apologises within 3 seconds when a handler crashes or hangs, or the store is away", async () => {
    const crash = defineCommand({
      name: "crash",
      description: "Crashes",
      answer: "immediate",
      run: () => {
        throw new Error("boom");
      },
    });
    let stopped = false;
    const hang = defineCommand({
      name: "hang",
      description: "Hangs",
      answer: "immediate",
      run: ({ signal }) =>
        new Promise(() => {
          signal.addEventListener("abort", () => {
            stopped = true;
          });
        }),
    });
    const timersMs: number[] = [];
    // Ten times as fast.
    const clock: Clock = {
      now: () => Date.now(),
      setTimer(callback, delayMs) {
        timersMs.push(delayMs);
        return systemClock.setTimer(callback, delayMs / 10);
      },
    };
    app = await startApp({ commands: [crash, hang], clock });
    expect((await app.interact(slash("crash"))).body).toMatchObject({ type: 4, data: { flags: EPHEMERAL } });
    const slow = await app.interact(slash("hang"));
    expect(slow.body).toMatchObject({ type: 4, data: { flags: EPHEMERAL } });
    expect(timersMs).toEqual([2_500, 2_500]);
    expect(stopped).toBe(true);
    await app.close();
    app = await startApp(
      {},
      {
        acceptOnce: async () => {
          throw new Error("the store is away");
        },
      },
    );
    expect((await app.interact(slash("link"))).body).toMatchObject({ type: 4, data: { flags: EPHEMERAL } });
  });

  describe("when a deferred interaction is too slow", () => {
    /** Ten times as fast. */
    const hasty: Clock = {
      now: () => Date.now(),
      setTimer: (callback, delayMs) => systemClock.setTimer(callback, delayMs / 10),
    };
    const later = defineCommand({
      name: "later",
      description: "Later",
      answer: "deferred",
      run: async () => reply("done"),
    });

    it("E4 does nothing after it has told the member to try again", async () => {
      let resolveTenant = (_tenantId: string) => {};
      const tenant = new Promise<string>((resolve) => {
        resolveTenant = resolve;
      });
      app = await startApp({ commands: [later], clock: hasty, resolveTenant: () => tenant });
      const { body } = await app.interact(slash("later"));
      expect(body).toMatchObject({
        type: 4,
        data: { content: expect.stringContaining("try again"), flags: EPHEMERAL },
      });
      resolveTenant("default");
      // The background call has ended when it has logged that its time was over.
      await expect.poll(() => app.log.join("\n")).toContain("The time for a first answer is over.");
      expect(app.sent).toEqual([]);
    });

    it("E4 says that the answer may still come when the follow-up is just being stored, and it comes", async () => {
      let store = () => {};
      const stored = new Promise<void>((resolve) => {
        store = resolve;
      });
      app = await startApp({ commands: [later], clock: hasty }, { send: () => stored });
      const { body } = await app.interact(slash("later"));
      expect(body).toMatchObject({
        type: 4,
        data: { content: expect.stringContaining("comes here"), flags: EPHEMERAL },
      });
      store();
      await expect.poll(() => app.sent.length).toBe(1);
      expect(await app.deliver()).toEqual([["delivered"]]);
      expect(app.discord.calls.map((call) => [call.method, call.body.content])).toEqual([["PATCH", "done"]]);
    });
  });
});
