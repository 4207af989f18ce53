import { afterEach, describe, expect, it } from "vitest";
import { button, type Cooldown, defineButton, defineCommand, reply } from "../src/index.js";
import { type ContextChange, press, slash, startApp, type TestApp } from "./support/app.js";

let app: TestApp;
afterEach(() => app.close());

const EPHEMERAL = 64;
const ben = { member: { user: { id: "400000000000000002", username: "ben" }, roles: [], permissions: "0" } };

const ping = defineCommand({
  name: "ping",
  description: "Answers",
  cooldown: { seconds: 30, uses: 2 },
  answer: "immediate",
  run: () => reply("pong"),
});

describe("cool-downs", () => {
  it("refuses who is too quick privately, with the time that is left, and nobody else", async () => {
    app = await startApp({ commands: [ping] });
    const answers: string[] = [];
    for (let use = 0; use < 3; use += 1) answers.push((await app.interact(slash("ping"))).body.data.content);
    expect(answers).toEqual(["pong", "pong", expect.stringMatching(/^Please wait (30|29) seconds before/)]);
    expect((await app.interact(slash("ping", ben))).body.data.content).toBe("pong");
  });

  it.each([
    [900, "1 second"],
    [119_000, "119 seconds"],
    [121_000, "3 minutes"],
    [7_200_000, "2 hours"],
  ])("says %i ms as %s", async (resetMs, words) => {
    app = await startApp({ commands: [ping] }, { countUse: async () => ({ allowed: false, resetMs }) });
    const { body } = await app.interact(slash("ping"));
    expect(body).toMatchObject({
      type: 4,
      data: { content: `Please wait ${words} before you do this again.`, flags: EPHEMERAL },
    });
  });

  it("counts for each tenant, definition and person, after the permission and before a deferral is stored", async () => {
    const uses: unknown[] = [];
    const countUse: ContextChange["countUse"] = async (use) => {
      uses.push(use);
      return { allowed: false, resetMs: 1_000 };
    };
    const guarded = defineButton({
      name: "guarded",
      requires: ["ManageGuild"],
      cooldown: { seconds: 5 },
      answer: "deferred-update",
      run: async () => reply("ran"),
    });
    const show = defineCommand({
      name: "show",
      description: "Shows",
      answer: "immediate",
      run: () => reply({ buttons: [button(guarded, { label: "Go" })] }),
    });
    app = await startApp({ commands: [show], components: [guarded] }, { countUse });
    const { body } = await app.interact(slash("show"));
    const customId = body.data.components[0].components[0].custom_id;
    expect((await app.interact(press(customId))).body.data.content).toContain("permission");
    expect(uses).toEqual([]);
    const manager = { member: { user: { id: "7", username: "mod" }, roles: [], permissions: "32" } };
    expect((await app.interact(press(customId, manager))).body).toMatchObject({ type: 4, data: { flags: EPHEMERAL } });
    expect(uses).toEqual([
      { key: JSON.stringify(["cooldown", "default", "button", "guarded", "7"]), max: 1, windowSeconds: 5 },
    ]);
    expect(app.sent).toEqual([]);
  });

  it("does nothing when uses can't be counted", async () => {
    const countUse = async () => {
      throw new Error("the store is away");
    };
    app = await startApp({ commands: [ping] }, { countUse });
    expect((await app.interact(slash("ping"))).body.data.content).toContain("went wrong");
  });

  it.each<Cooldown>([{ seconds: 0 }, { seconds: 1.5 }, { seconds: 86_401 }, { seconds: 1, uses: 0 }])(
    "refuses %j when it is defined",
    async (cooldown) => {
      app = await startApp();
      const define = () =>
        defineCommand({ name: "a", description: "A", cooldown, answer: "immediate", run: () => reply("b") });
      expect(define).toThrow(expect.objectContaining({ code: "invalid_definition" }));
    },
  );
});
