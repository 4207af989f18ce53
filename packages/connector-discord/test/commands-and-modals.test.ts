import { afterEach, describe, expect, it } from "vitest";
import { defineCommand, defineCommandGroup, defineModal, markdown, reply, showModal } from "../src/index.js";
import { GUILD_ID, interaction, slash, startApp, submit, type TestApp } from "./support/app.js";
import { faultsByDiscord } from "./support/discord-schemas.js";
import type { Json } from "./support/json.js";

let app: TestApp;
afterEach(() => app.close());

const EPHEMERAL = 64;

describe("commands", () => {
  it("gets typed and checked options", async () => {
    const seen: unknown[] = [];
    const command = defineCommand({
      name: "book",
      description: "Books",
      options: {
        room: { type: "string", description: "Which", required: true, choices: [{ name: "Blue", value: "blue" }] },
        hours: { type: "integer", description: "How long", minValue: 1, maxValue: 8 },
      },
      answer: "immediate",
      run: ({ options, user, member, guildId, tenantId }) => {
        const room: string = options.room;
        const hours: number | null = options.hours;
        seen.push({ room, hours, user, member, guildId, tenantId });
        return reply("booked", { ephemeral: false });
      },
    });
    app = await startApp({ commands: [command] });
    const answer = await app.interact(slash("book", { options: [{ name: "room", type: 3, value: "blue" }] }));
    expect(answer.body).toEqual({
      type: 4,
      data: { content: "booked", embeds: [], components: [], allowed_mentions: { parse: [] } },
    });
    expect(seen).toEqual([
      {
        room: "blue",
        hours: null,
        user: { id: "400000000000000001", username: "anna", globalName: "Anna" },
        member: { nickname: null, roleIds: ["500000000000000001"], permissions: 0n },
        guildId: GUILD_ID,
        tenantId: "default",
      },
    ]);
    for (const options of [
      [],
      [{ name: "room", value: "red" }],
      [
        { name: "room", value: "blue" },
        { name: "hours", value: 9 },
      ],
    ]) {
      const refused = await app.interact(slash("book", { options }));
      expect(refused.body.data.flags).toBe(EPHEMERAL);
    }
    expect(seen).toHaveLength(1);
  });

  it("counts what was typed in characters, as Discord does", async () => {
    const tiny = defineCommand({
      name: "tiny",
      description: "Takes three",
      options: { text: { type: "string", description: "Text", minLength: 2, maxLength: 3 } },
      answer: "immediate",
      run: ({ options }) => reply(`got ${options.text}`),
    });
    app = await startApp({ commands: [tiny] });
    const answerTo = async (value: string) =>
      (await app.interact(slash("tiny", { options: [{ name: "text", type: 3, value }] }))).body.data.content;
    expect(await answerTo("👍👍👍")).toBe("got 👍👍👍");
    expect(await answerTo("👍")).toContain("can't have this value");
    expect(await answerTo("👍👍👍👍")).toContain("can't have this value");
  });

  it("takes subcommands, each with options, autocomplete, permission and answer of its own", async () => {
    const open = defineCommand({
      name: "open",
      description: "Opens",
      options: {
        title: {
          type: "string",
          description: "What",
          required: true,
          autocomplete: ({ value }) => [{ name: value, value }],
        },
      },
      answer: "immediate",
      run: ({ options }) => reply(`open ${options.title}`),
    });
    const close = defineCommand({
      name: "close",
      description: "Closes",
      requires: ["ManageMessages"],
      answer: "deferred",
      run: async () => reply("closed"),
    });
    const desk = defineCommandGroup({ name: "desk", description: "The desk", subcommands: [open, close] });
    app = await startApp({ commands: [desk] });
    const call = async (name: string, options: readonly object[] = [], type = 2) =>
      (await app.interact({ ...slash("desk", { options: [{ name, type: 1, options }] }), type })).body;
    const title = { name: "title", type: 3, value: "Printer" };
    expect((await call("open", [title])).data.content).toBe("open Printer");
    expect((await call("open", [{ ...title, focused: true }], 4)).data.choices).toEqual([
      { name: "Printer", value: "Printer" },
    ]);
    expect((await call("open")).data.content).toContain("is needed");
    expect((await call("close")).data.content).toContain("permission");
    expect((await call("burn")).data.flags).toBe(EPHEMERAL);
    expect((await app.interact(slash("desk"))).body.data.flags).toBe(EPHEMERAL);
    for (const define of [
      () => defineCommandGroup({ name: "desk", description: "d", subcommands: [] }),
      () => defineCommandGroup({ name: "desk", description: "d", subcommands: [open, open] }),
      () => defineCommandGroup({ name: "desk", description: "d", subcommands: desk.subcommands }),
      () => defineCommandGroup({ name: "De sk", description: "d", subcommands: [open] }),
    ]) {
      expect(define).toThrow(expect.objectContaining({ code: "invalid_definition" }));
    }
    const alone = defineCommand({ name: "desk", description: "d", answer: "immediate", run: () => reply("d") });
    await expect(startApp({ commands: [desk, alone] })).rejects.toMatchObject({ code: "duplicate_name" });
  });

  it("mentions nobody and shows people's words as they were typed", async () => {
    const echo = defineCommand({
      name: "echo",
      description: "Echoes",
      options: { words: { type: "string", description: "Words", required: true } },
      answer: "immediate",
      run: ({ options }) => reply(markdown`**You said** ${options.words}`),
    });
    app = await startApp({ commands: [echo] });
    const words = "@everyone **bold** <@400000000000000002> [click](https://evil.example/a_b_c)";
    const { body } = await app.interact(slash("echo", { options: [{ name: "words", type: 3, value: words }] }));
    expect(body.data.allowed_mentions).toEqual({ parse: [] });
    expect(body.data.content).toBe(
      "**You said** \\@everyone \\*\\*bold\\*\\* \\<\\@400000000000000002\\> \\[click\\]\\(https://evil.example/a_b_c)",
    );
  });
});

const ticketModal = defineModal({
  name: "ticket",
  title: "Open a ticket",
  fields: {
    title: { kind: "text", label: "Title", maxLength: 200 },
    description: { kind: "text", label: "Description", style: "paragraph", required: false },
    priority: {
      kind: "select",
      label: "Priority",
      options: [
        { label: "Low", value: "0" },
        { label: "Normal", value: "1", default: true },
        { label: "High", value: "2" },
        { label: "Urgent", value: "3" },
      ],
    },
  },
  params: ["desk"],
  answer: "immediate",
  run: ({ fields, params }) => {
    const title: string = fields.title;
    const description: string | null = fields.description;
    return reply(JSON.stringify({ title, description, priority: fields.priority, desk: params.desk }));
  },
});

const ticketCommand = defineCommand({
  name: "ticket",
  description: "Open a ticket",
  answer: "immediate",
  run: () => showModal(ticketModal, { params: { desk: "support" }, values: { title: "Printer" } }),
});

describe("modals", () => {
  it("E1 opens with title, description and priority as labelled fields, as Discord describes them", async () => {
    app = await startApp({ commands: [ticketCommand], components: [ticketModal] });
    const { body } = await app.interact(slash("ticket"));
    expect(body.type).toBe(9);
    expect(await faultsByDiscord("ModalInteractionCallbackRequestSchema", body)).toEqual([]);
    expect(
      body.data.components.map((label: Json) => [label.type, label.component.type, label.component.custom_id]),
    ).toEqual([
      [18, 4, "title"],
      [18, 4, "description"],
      [18, 3, "priority"],
    ]);
    expect(body.data.components[0].component).toMatchObject({ value: "Printer", max_length: 200, required: true });
    expect(body.data.components[2].component.options[1]).toEqual({ label: "Normal", value: "1", default: true });
    expect(body.data.custom_id.length).toBeLessThanOrEqual(100);
  });

  it("E1 hands the handler what was typed, by name, with the params it was opened with", async () => {
    app = await startApp({ commands: [ticketCommand], components: [ticketModal] });
    const opened = await app.interact(slash("ticket"));
    const fields = { title: "Printer", description: "", priority: ["2"] };
    const { body } = await app.interact(submit(opened.body.data.custom_id, fields));
    expect(body.type).toBe(4);
    expect(body.data.flags).toBe(EPHEMERAL);
    expect(JSON.parse(body.data.content.replaceAll("\\", ""))).toEqual({
      title: "Printer",
      description: null,
      priority: "2",
      desk: "support",
    });
  });

  it("E1 also reads the older action rows", async () => {
    app = await startApp({ commands: [ticketCommand], components: [ticketModal] });
    const opened = await app.interact(slash("ticket"));
    const components = ["title", "priority"].map((name) => ({
      type: 1,
      components: [
        name === "title" ? { type: 4, custom_id: name, value: "Old" } : { type: 3, custom_id: name, values: ["0"] },
      ],
    }));
    const { body } = await app.interact(interaction(5, { custom_id: opened.body.data.custom_id, components }));
    expect(body.data.content).toContain("Old");
  });

  it.each([
    ["a missing field", { title: " ", priority: ["1"] }, "“Title” is needed."],
    ["a text over its limit", { title: "x".repeat(201), priority: ["1"] }, "“Title” takes at most 200 characters."],
    ["a choice that does not exist", { title: "Printer", priority: ["9"] }, "“Priority” has no such choice."],
  ] as const)("refuses %s in a plain private sentence", async (_what, fields, sentence) => {
    app = await startApp({ commands: [ticketCommand], components: [ticketModal] });
    const opened = await app.interact(slash("ticket"));
    const { body } = await app.interact(submit(opened.body.data.custom_id, fields));
    expect(body).toMatchObject({ type: 4, data: { content: sentence, flags: EPHEMERAL } });
  });

  it("says so when a modal is shown that the connector does not have", async () => {
    app = await startApp({ commands: [ticketCommand] });
    expect((await app.interact(slash("ticket"))).body.type).toBe(4);
    expect(app.log.join()).toContain("not among the connector's components");
  });
});
