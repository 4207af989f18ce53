import { afterEach, describe, expect, it } from "vitest";
import { defineCommand, defineMessageCommand, defineUserCommand, reply } from "../src/index.js";
import { interaction, startApp, type TestApp } from "./support/app.js";
import { faultsByDiscord } from "./support/discord-schemas.js";

let app: TestApp;
afterEach(() => app.close());

const EPHEMERAL = 64;
const seen: unknown[] = [];

const tickets = defineUserCommand({
  name: "Show tickets",
  answer: "immediate",
  run: ({ target, user }) => {
    seen.push(target);
    return reply(`${user.username} asks about ${target.username}`);
  },
});
const open = defineMessageCommand({
  name: "Show tickets",
  answer: "deferred",
  run: async ({ target }) => {
    seen.push(target);
    return reply(`From ${target.id}`);
  },
});

const onUser = (id: string, resolved: object) =>
  interaction(2, { id: "1", name: "Show tickets", type: 2, target_id: id, resolved });
const onMessage = (resolved: object) =>
  interaction(2, { id: "1", name: "Show tickets", type: 3, target_id: "600000000000000001", resolved });

describe("context-menu commands", () => {
  it("hands a user command the member whose menu it was", async () => {
    app = await startApp({ commands: [tickets, open] });
    seen.length = 0;
    const users = { "7": { id: "7", username: "mod", global_name: null } };
    const members = { "7": { nick: null, roles: ["9"], permissions: "0" } };
    const { body } = await app.interact(onUser("7", { users, members }));
    expect(body).toMatchObject({ type: 4, data: { content: "anna asks about mod", flags: EPHEMERAL } });
    expect(seen).toEqual([
      {
        id: "7",
        username: "mod",
        globalName: null,
        member: { nickname: null, roleIds: ["9"], permissions: 0n },
      },
    ]);
  });

  it("hands a message command the message, also after a deferral, and tells it from a user command of that name", async () => {
    app = await startApp({ commands: [tickets, open] });
    seen.length = 0;
    const author = { id: "8", username: "ben", global_name: "Ben" };
    const message = { id: "600000000000000001", channel_id: "300000000000000002", content: "It burns", author };
    expect((await app.interact(onMessage({ messages: { [message.id]: message } }))).body.type).toBe(5);
    expect(JSON.stringify(app.sent.map(({ data }) => data))).not.toContain("It burns");
    expect(await app.deliver()).toEqual([["delivered"]]);
    expect(app.discord.calls[0]?.body.content).toBe("From 600000000000000001");
    expect(seen).toEqual([
      {
        id: message.id,
        channelId: message.channel_id,
        content: "It burns",
        author: { id: "8", username: "ben", globalName: "Ben" },
      },
    ]);
  });

  it.each([
    ["a user that Discord says nothing of", onUser("7", {})],
    ["a message that Discord says nothing of", onMessage({})],
    ["a kind of command that is not known", interaction(2, { id: "1", name: "Show tickets", type: 9 })],
  ])("answers %s privately", async (_what, body) => {
    app = await startApp({ commands: [tickets, open] });
    expect((await app.interact(body)).body).toMatchObject({ type: 4, data: { flags: EPHEMERAL } });
  });

  it("refuses a name that Discord would not take, and two of one kind with the same name", async () => {
    app = await startApp();
    const define = (name: string) => defineUserCommand({ ...command, name });
    const command = { answer: "immediate", run: () => reply("x") } as const;
    expect(() => define("x".repeat(33))).toThrow(expect.objectContaining({ code: "invalid_definition" }));
    await expect(startApp({ commands: [define("A"), define("A")] })).rejects.toMatchObject({ code: "duplicate_name" });
  });
});

describe("autocomplete", () => {
  const book = (over: object = {}) =>
    defineCommand({
      name: "book",
      description: "Books",
      options: {
        room: {
          type: "string",
          description: "Which",
          required: true,
          autocomplete: ({ value, options, user }) =>
            [value, String(options.hours ?? "-"), user.username].map((name) => ({ name, value: name })),
        },
        hours: { type: "integer", description: "How long" },
      },
      answer: "immediate",
      run: ({ options }) => reply(options.room),
      ...over,
    });
  const typing = (value: string, more: readonly object[] = []) =>
    interaction(4, {
      id: "1",
      name: "book",
      type: 1,
      options: [{ name: "room", type: 3, value, focused: true }, ...more],
    });

  it("offers what the option offers, with what is typed and filled in so far", async () => {
    app = await startApp({ commands: [book()] });
    const { body } = await app.interact(typing("bl", [{ name: "hours", type: 4, value: 2 }]));
    expect(body).toEqual({
      type: 8,
      data: {
        choices: [
          { name: "bl", value: "bl" },
          { name: "2", value: "2" },
          { name: "anna", value: "anna" },
        ],
      },
    });
    expect(await faultsByDiscord("ApplicationCommandAutocompleteCallbackRequestSchema", body)).toEqual([]);
  });

  it("keeps to Discord's limits: 25 choices, 100 characters, and leaves out what would sink them all", async () => {
    const many = Array.from({ length: 30 }, (_, index) => ({ name: "n".repeat(120), value: String(index) }));
    const room = {
      type: "string",
      description: "Which",
      autocomplete: async () => [{ name: "", value: "x" }, { name: "x", value: "v".repeat(101) }, ...many],
    } as const;
    app = await startApp({ commands: [book({ options: { room } })] });
    const { body } = await app.interact(typing(""));
    expect(body.data.choices).toHaveLength(25);
    expect(body.data.choices[0].name.length).toBeLessThanOrEqual(100);
    expect(body.data.choices[0].value).toBe("0");
    expect(await faultsByDiscord("ApplicationCommandAutocompleteCallbackRequestSchema", body)).toEqual([]);
  });

  it("offers nothing to who may not use the command, for an option without choices, and when it fails", async () => {
    const nothing = { status: 200, body: { type: 8, data: { choices: [] } } };
    app = await startApp({ commands: [book({ requires: ["ManageGuild"] })] });
    expect(await app.interact(typing("a"))).toEqual(nothing);
    await app.close();
    const room = {
      type: "string",
      description: "Which",
      autocomplete: () => {
        throw new Error("away");
      },
    } as const;
    app = await startApp({ commands: [book({ options: { room } })] });
    expect(await app.interact(typing("a"))).toEqual(nothing);
    const hours = interaction(4, { name: "book", type: 1, options: [{ name: "hours", value: "1", focused: true }] });
    expect(await app.interact(hours)).toEqual(nothing);
  });

  it("refuses an option that has both choices and autocomplete", async () => {
    app = await startApp();
    const choices = [{ name: "A", value: "a" }];
    const room = { type: "string", description: "Which", choices, autocomplete: () => [] } as const;
    expect(() => book({ options: { room } })).toThrow(expect.objectContaining({ code: "invalid_definition" }));
  });
});
