import { afterEach, describe, expect, expectTypeOf, it } from "vitest";
import {
  type ChosenUser,
  defineCommand,
  defineModal,
  type ModalField,
  reply,
  showModal,
  type UploadedFile,
} from "../src/index.js";
import { slash, startApp, submit, type TestApp } from "./support/app.js";
import { faultsByDiscord } from "./support/discord-schemas.js";
import type { Json } from "./support/json.js";

let app: TestApp;
afterEach(() => app.close());

const EPHEMERAL = 64;
const seen: unknown[] = [];
const options = [
  { label: "A", value: "a", default: true },
  { label: "B", value: "b", description: "The second" },
  { label: "C", value: "c" },
] as const;

const form = defineModal({
  name: "form",
  title: "Everything",
  fields: {
    kind: { kind: "radio", label: "Kind", options },
    tags: { kind: "checkboxes", label: "Tags", description: "Some", required: false, maxValues: 2, options },
    urgent: { kind: "checkbox", label: "Urgent", default: true },
    who: { kind: "users", label: "Who", maxValues: 2 },
    files: { kind: "file", label: "Files", required: false, maxValues: 3 },
  },
  answer: "immediate",
  run: ({ fields }) => {
    expectTypeOf(fields.kind).toEqualTypeOf<"a" | "b" | "c">();
    expectTypeOf(fields.tags).toEqualTypeOf<readonly ("a" | "b" | "c")[]>();
    expectTypeOf(fields.urgent).toEqualTypeOf<boolean>();
    expectTypeOf(fields.who).toEqualTypeOf<readonly ChosenUser[]>();
    expectTypeOf(fields.files).toEqualTypeOf<readonly UploadedFile[]>();
    seen.push(fields);
    return reply("taken");
  },
});
const more = defineModal({
  name: "more",
  title: "More",
  fields: {
    several: { kind: "multi-select", label: "Several", options, minValues: 2 },
    role: { kind: "roles", label: "Role", required: false },
    channel: { kind: "channels", label: "Channel", channelTypes: ["GuildText"] },
  },
  answer: "immediate",
  run: ({ fields }) => {
    seen.push(fields);
    return reply("taken");
  },
});
const openForm = defineCommand({
  name: "form",
  description: "Opens",
  answer: "immediate",
  run: () => showModal(form, { values: { kind: "b", tags: ["b", "c"], urgent: false, who: ["7"] } }),
});
const openMore = defineCommand({ name: "more", description: "Opens", answer: "immediate", run: () => showModal(more) });

async function opened(name: "form" | "more"): Promise<{ customId: string; components: Json[] }> {
  app = await startApp({ commands: [openForm, openMore], components: [form, more] });
  seen.length = 0;
  const { body } = await app.interact(slash(name));
  expect(await faultsByDiscord("ModalInteractionCallbackRequestSchema", body)).toEqual([]);
  return { customId: body.data.custom_id, components: body.data.components.map((label: Json) => label.component) };
}

const users = { "7": { id: "7", username: "mod" }, "8": { id: "8", username: "ben" } };
const attachments = {
  "5": { id: "5", filename: "log.txt", size: 12, content_type: "text/plain", url: "https://cdn.example/log.txt" },
};

describe("every kind of field", () => {
  it("E1 is shown as Discord describes it, with what stands there beforehand", async () => {
    const { components } = await opened("form");
    expect(components.map(({ type, custom_id: id, required }) => [id, type, required])).toEqual([
      ["kind", 21, true],
      ["tags", 22, false],
      ["urgent", 23, undefined],
      ["who", 5, true],
      ["files", 19, false],
    ]);
    const [kind, tags, urgent, who, files] = components;
    expect(kind.options.map((option: Json) => option.default)).toEqual([false, true, false]);
    expect(tags).toMatchObject({ min_values: 0, max_values: 2 });
    expect(tags.options.map((option: Json) => option.default)).toEqual([false, true, true]);
    expect(urgent.default).toBe(false);
    expect(who).toMatchObject({ max_values: 2, default_values: [{ id: "7", type: "user" }] });
    expect(files).toMatchObject({ min_values: 0, max_values: 3 });
    await app.close();
    const [several, role, channel] = (await opened("more")).components;
    expect(several).toMatchObject({ type: 3, min_values: 2, max_values: 3 });
    expect(several.options[0].default).toBe(true);
    expect(role).toMatchObject({ type: 6, required: false, min_values: 0, max_values: 1 });
    expect(channel).toMatchObject({ type: 8, channel_types: [0] });
  });

  it("E1 reaches the handler by its name, checked and with what Discord says of ids", async () => {
    const { customId } = await opened("form");
    const fields = {
      kind: { type: 21, value: "b" },
      tags: { type: 22, values: ["a", "c"] },
      urgent: { type: 23, value: true },
      who: { type: 5, values: ["8", "7"] },
      files: { type: 19, values: ["5"] },
    };
    const { body } = await app.interact(submit(customId, fields, { resolved: { users, attachments } }));
    expect(body.data.content).toBe("taken");
    expect(seen).toEqual([
      {
        kind: "b",
        tags: ["a", "c"],
        urgent: true,
        who: [
          { id: "8", username: "ben", globalName: null, member: null },
          { id: "7", username: "mod", globalName: null, member: null },
        ],
        files: [
          { id: "5", name: "log.txt", sizeBytes: 12, contentType: "text/plain", url: "https://cdn.example/log.txt" },
        ],
      },
    ]);
  });

  it("E1 takes an optional field that was left empty, and a box that was not ticked", async () => {
    const { customId } = await opened("form");
    const fields = {
      kind: { type: 21, value: "a" },
      urgent: { type: 23, value: false },
      who: { type: 5, values: ["7"] },
    };
    await app.interact(submit(customId, fields, { resolved: { users } }));
    expect(seen).toMatchObject([{ tags: [], urgent: false, files: [] }]);
  });

  const whole = { kind: { type: 21, value: "a" }, who: { type: 5, values: ["7"] } };
  it.each([
    ["no radio", { ...whole, kind: { type: 21, value: null } }, "“Kind” is needed."],
    ["a radio that is not offered", { ...whole, kind: { type: 21, value: "z" } }, "“Kind” has no such choice."],
    ["too many boxes", { ...whole, tags: { type: 22, values: ["a", "b", "c"] } }, "“Tags” takes at most 2."],
    ["a box that is not offered", { ...whole, tags: { type: 22, values: ["z"] } }, "“Tags” has no such choice."],
    ["nobody", { ...whole, who: { type: 5, values: [] } }, "“Who” is needed."],
    ["somebody Discord says nothing of", { ...whole, who: { type: 5, values: ["99"] } }, "“Who” has no such choice."],
    ["a file Discord says nothing of", { ...whole, files: { type: 19, values: ["6"] } }, "“Files” has no such choice."],
    ["the same twice", { ...whole, who: { type: 5, values: ["7", "7"] } }, "“Who” has no such choice."],
  ])("refuses %s in a plain private sentence", async (_what, fields, sentence) => {
    const { customId } = await opened("form");
    const { body } = await app.interact(submit(customId, fields, { resolved: { users, attachments } }));
    expect(body).toMatchObject({ type: 4, data: { content: sentence, flags: EPHEMERAL } });
    expect(seen).toEqual([]);
  });

  it("refuses fewer than a list takes", async () => {
    const { customId } = await opened("more");
    const resolved = { channels: { "3": { id: "3", name: "ops", type: 0 } } };
    const fields = { several: ["a"], channel: { type: 8, values: ["3"] } };
    const { body } = await app.interact(submit(customId, fields, { resolved }));
    expect(body.data.content).toBe("“Several” takes at least 2.");
    await app.interact(submit(customId, { ...fields, several: ["a", "b"] }, { resolved }));
    expect(seen).toEqual([{ several: ["a", "b"], role: [], channel: [{ id: "3", name: "ops", type: 0 }] }]);
  });

  it.each<[string, ModalField]>([
    ["a radio with one option", { kind: "radio", label: "A", options: [{ label: "A", value: "a" }] }],
    [
      "more than ten boxes",
      {
        kind: "checkboxes",
        label: "A",
        options: Array.from({ length: 11 }, (_, index) => ({ label: `${index}`, value: `${index}` })),
      },
    ],
    [
      "more choices than options",
      { kind: "multi-select", label: "A", options: [{ label: "A", value: "a" }], maxValues: 2 },
    ],
    ["more than ten files", { kind: "file", label: "A", maxValues: 11 }],
    ["a least above the most", { kind: "users", label: "A", minValues: 3, maxValues: 2 }],
  ])("refuses %s when it is defined", async (_what, field) => {
    app = await startApp();
    const define = () =>
      defineModal({ name: "a", title: "A", fields: { field }, answer: "immediate", run: () => reply("b") });
    expect(define).toThrow(expect.objectContaining({ code: "invalid_definition" }));
  });
});
