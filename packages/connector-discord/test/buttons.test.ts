import { afterEach, describe, expect, it } from "vitest";
import {
  button,
  defineButton,
  defineCommand,
  defineSelect,
  markdown,
  reply,
  select,
  updateMessage,
} from "../src/index.js";
import { press, slash, startApp, type TestApp } from "./support/app.js";
import { faultsByDiscord } from "./support/discord-schemas.js";

let app: TestApp;
afterEach(() => app.close());

const EPHEMERAL = 64;

describe("buttons", () => {
  const approve = defineButton({
    name: "machine-approve",
    params: ["machineId"],
    requires: ["ManageGuild"],
    refusal: "Only managers.",
    answer: "immediate",
    run: ({ params, message, user }) =>
      updateMessage({ content: `${params.machineId} approved by ${user.username} on ${message.id}`, buttons: [] }),
  });
  const show = defineCommand({
    name: "show",
    description: "Shows",
    answer: "immediate",
    run: () =>
      reply({
        content: "A machine",
        buttons: [button(approve, { label: "Approve", style: "success", params: { machineId: "mac:1/ä" } })],
      }),
  });
  const manager = { member: { user: { id: "400000000000000003", username: "mod" }, roles: [], permissions: "32" } };

  async function customIdOf(): Promise<string> {
    const { body } = await app.interact(slash("show"));
    expect(await faultsByDiscord("CreateMessageInteractionCallbackRequestSchema", body)).toEqual([]);
    return body.data.components[0].components[0].custom_id;
  }

  it("acts with its params and changes the message that carries it", async () => {
    app = await startApp({ commands: [show], components: [approve] });
    const { body } = await app.interact(press(await customIdOf(), manager));
    expect(body).toMatchObject({
      type: 7,
      data: { content: "mac:1/ä approved by mod on 600000000000000001", components: [], embeds: [] },
    });
    expect(await faultsByDiscord("UpdateMessageInteractionCallbackRequestSchema", body)).toEqual([]);
  });

  it.each(["approved *now*", markdown`approved ${"*now*"}`])("changes the message to a text alone", async (text) => {
    const toText = defineButton({
      name: "machine-approve",
      params: ["machineId"],
      answer: "immediate",
      run: () => updateMessage(text),
    });
    app = await startApp({ commands: [show], components: [toText] });
    const { body } = await app.interact(press(await customIdOf(), manager));
    expect(body).toMatchObject({ type: 7, data: { content: "approved \\*now\\*", components: [], embeds: [] } });
  });

  it.each([
    [() => undefined, /machine-approve\\" answered undefined; it takes reply/],
    [() => "approved", /machine-approve\\" answered string/],
    [() => reply(undefined as never), /A message is a text or \{ content, embeds, … \}, not undefined/],
  ])(
    "logs what a handler did wrong with its name, and tells the member that it is not their fault",
    async (run, said) => {
      app = await startApp({ commands: [show], components: [{ ...approve, run } as typeof approve] });
      const { body } = await app.interact(press(await customIdOf(), manager));
      expect(body).toMatchObject({ type: 4, data: { content: expect.stringContaining("on our side") } });
      expect(app.log).toEqual([expect.stringMatching(said)]);
      expect(app.log[0]).toContain('"handler":"button machine-approve"');
    },
  );

  it("is not shown by an answer where nothing would answer to it, but said in the log", async () => {
    const menu = defineSelect({
      name: "level",
      choose: [{ label: "A", value: "a" }],
      answer: "immediate",
      run: () => reply("x"),
    });
    const showMenu = defineCommand({
      name: "menu",
      description: "M",
      answer: "immediate",
      run: () => reply({ selects: [select(menu)] }),
    });
    app = await startApp({ commands: [show, showMenu] });
    for (const name of ["show", "menu"]) {
      const { body } = await app.interact(slash(name));
      expect(body.data).toMatchObject({ content: expect.stringContaining("on our side"), flags: EPHEMERAL });
    }
    expect(app.log).toEqual([
      expect.stringMatching(/unknown_component.*machine-approve.* is shown but not among the connector's components/),
      expect.stringMatching(/unknown_component.*level.* is shown but not among the connector's components/),
    ]);
  });

  it("refuses members without the permission privately, and lets administrators", async () => {
    app = await startApp({ commands: [show], components: [approve] });
    const customId = await customIdOf();
    const refused = await app.interact(press(customId));
    expect(refused.body).toMatchObject({ type: 4, data: { content: "Only managers.", flags: EPHEMERAL } });
    const direct = { member: undefined, guild_id: undefined, user: manager.member.user };
    expect((await app.interact(press(customId, direct))).body.type).toBe(4);
    const admin = { member: { ...manager.member, permissions: "8" } };
    expect((await app.interact(press(customId, admin))).body.type).toBe(7);
  });

  it("refuses by role and by a function of one's own", async () => {
    const byRole = defineButton({
      name: "by-role",
      requires: { anyRoleId: ["500000000000000001"] },
      answer: "immediate",
      run: () => reply("yes"),
    });
    const byFunction = defineButton({
      name: "by-function",
      requires: async ({ user }) => user.username === "ben",
      answer: "immediate",
      run: () => reply("yes"),
    });
    const both = defineCommand({
      name: "both",
      description: "Both",
      answer: "immediate",
      run: () => reply({ buttons: [button(byRole, { label: "1" }), button(byFunction, { label: "2" })] }),
    });
    app = await startApp({ commands: [both], components: [byRole, byFunction] });
    const { body } = await app.interact(slash("both"));
    const [first, second] = body.data.components[0].components;
    expect((await app.interact(press(first.custom_id))).body.data.content).toBe("yes");
    expect((await app.interact(press(second.custom_id))).body.data.content).not.toBe("yes");
  });

  it("does not take a button whose params were changed, nor one of before its params changed", async () => {
    app = await startApp({ commands: [show], components: [approve] });
    const customId = await customIdOf();
    const forged = await app.interact(press(customId.replace("mac", "mag"), manager));
    expect(forged.body).toMatchObject({ type: 4, data: { flags: EPHEMERAL } });
    await app.close();
    const changed = defineButton({
      ...approve,
      params: ["machineId", "reason"],
      answer: "immediate",
      run: () => reply("yes"),
    });
    app = await startApp({ components: [changed] });
    expect((await app.interact(press(customId, manager))).body.data.content).toBe(
      "This button does not lead anywhere any more.",
    );
  });
});
