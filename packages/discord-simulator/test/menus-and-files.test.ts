import { REST } from "@discordjs/rest";
import { Routes } from "discord-api-types/v10";
import { afterEach, describe, expect, it } from "vitest";
import { type InteractionsApp, type Payload, startInteractionsApp } from "./interactions-app.js";
import { simulatorFactory } from "./started-simulator.js";

// biome-ignore lint/suspicious/noExplicitAny: a payload is looked into field by field
type Json = any;

describe("menus and files", () => {
  const start = simulatorFactory();
  const apps: InteractionsApp[] = [];
  afterEach(async () => {
    for (const app of apps.splice(0)) {
      await app.close();
    }
  });

  async function connected(commands: readonly object[], answer: (payload: Payload) => unknown) {
    const simulator = await start();
    const app = await startInteractionsApp({ simulator, answer });
    apps.push(app);
    await simulator.setInteractionsUrl(app.url);
    const rest = new REST({ api: `${simulator.url}/api` }).setToken(simulator.application.botToken);
    await rest.put(Routes.applicationCommands(simulator.application.id), { body: commands });
    return { simulator, app, rest, anna: simulator.member("anna") };
  }

  const ok = () => ({ type: 4, data: { content: "ok" } });
  const command = { name: "show", description: "Shows" };

  it("N6 runs commands from the menu of a member and of a message, with what they are about", async () => {
    const { simulator, app, anna } = await connected(
      [
        { name: "Show tickets", type: 2 },
        { name: "Open a ticket", type: 3 },
        { name: "Ban", type: 2, default_member_permissions: "32" },
      ],
      ok,
    );
    await (await anna.useOnMember("Show tickets", "ben")).reply();
    const message = await simulator.member("ben").say("#general", "It burns");
    await anna.useOnMessage("Open a ticket", message);
    const [user, onMessage] = app.received.map(({ data }) => data as Json);
    const ben = message.author.id;
    expect(user).toMatchObject({ name: "Show tickets", type: 2, target_id: ben });
    expect(user.resolved.users[ben]).toMatchObject({ username: "ben" });
    expect(user.resolved.members[ben]).toMatchObject({ roles: [] });
    expect(onMessage).toMatchObject({ type: 3, target_id: message.id });
    expect(onMessage.resolved.messages[message.id]).toMatchObject({ content: "It burns", author: { id: ben } });

    await expect(anna.useOnMember("Ban", "ben")).rejects.toMatchObject({ code: "not_permitted" });
    await expect(anna.useOnMember("Open a ticket", "ben")).rejects.toMatchObject({ code: "unknown_command" });
    await expect(anna.slash("Show tickets")).rejects.toMatchObject({ code: "unknown_command" });
  });

  it("N6 finds a menu by its placeholder, and refuses what Discord would refuse of one", async () => {
    const option = { label: "A", value: "a" };
    const menus: Record<string, object> = {
      good: { type: 3, custom_id: "m", placeholder: "Pick", options: [option, { label: "B", value: "b" }] },
      "a repeated value": { type: 3, custom_id: "m", options: [option, option] },
      "more than it has": { type: 3, custom_id: "m", options: [option], max_values: 2 },
      "a least above the most": { type: 5, custom_id: "m", min_values: 2 },
      "too many defaults": {
        type: 3,
        custom_id: "m",
        options: [
          { ...option, default: true },
          { label: "B", value: "b", default: true },
        ],
      },
    };
    const { simulator, app, anna, rest } = await connected([command], ({ type }) => (type === 3 ? { type: 6 } : ok()));
    const channel = (await simulator.state()).guilds[0]?.channels[0]?.id ?? "";
    const post = (menu: object | undefined) =>
      rest.post(Routes.channelMessages(channel), {
        body: { content: "x", components: [{ type: 1, components: [menu] }] },
      }) as Promise<{ id: string }>;
    const { id } = await post(menus.good);
    await anna.select(id, "Pick", ["B"]);
    expect(app.received[0]?.data).toMatchObject({ component_type: 3, custom_id: "m", values: ["b"] });
    for (const [what, menu] of Object.entries(menus).slice(1)) {
      await expect(post(menu), what).rejects.toMatchObject({ status: 400, code: 50035 });
    }
  });

  it("N6 refuses suggestions that do not fit the option's type", async () => {
    const options = [
      { type: 3, name: "word", description: "Word", autocomplete: true },
      { type: 4, name: "count", description: "Count", autocomplete: true },
    ];
    const suggested: Json[] = [{ name: "One", value: "1" }];
    const { anna } = await connected([{ ...command, options }], () => ({ type: 8, data: { choices: suggested } }));
    expect(await anna.autocomplete("show", { option: "word", text: "" })).toEqual(suggested);
    await expect(anna.autocomplete("show", { option: "count", text: "" })).rejects.toMatchObject({
      code: "interaction_failed",
    });
    suggested[0] = { name: "One", value: 1 };
    expect(await anna.autocomplete("show", { option: "count", text: "" })).toEqual(suggested);
  });

  it("N6 uploads files into a modal, which the application can fetch", async () => {
    const label = (text: string, component: object) => ({ type: 18, label: text, component });
    const modal = {
      custom_id: "f",
      title: "Files",
      components: [
        label("Log", { type: 19, custom_id: "log", max_values: 2 }),
        label("Tags", {
          type: 22,
          custom_id: "tags",
          required: false,
          min_values: 0,
          options: [
            { label: "A", value: "a", default: true },
            { label: "B", value: "b" },
          ],
        }),
      ],
    };
    const { anna, app } = await connected([command], ({ type }) => (type === 2 ? { type: 9, data: modal } : ok()));
    const opened = await anna.slash("show");
    expect(opened.modal?.fields).toMatchObject([
      { kind: "file", minValues: 1, maxValues: 2 },
      { kind: "checkboxes", minValues: 0, maxValues: 2, chosen: ["a"] },
    ]);
    const file = {
      filename: "log.txt",
      base64: Buffer.from("all is well").toString("base64"),
      contentType: "text/plain",
    };
    await expect(opened.submitModal({})).rejects.toMatchObject({ code: "invalid_field" });
    await expect(opened.submitModal({ Log: "log.txt" })).rejects.toMatchObject({ code: "invalid_field" });
    await expect(opened.submitModal({ Log: [file, file, file] })).rejects.toMatchObject({ code: "invalid_field" });
    await opened.submitModal({ Log: [file], Tags: ["B"] });
    const data = app.received.at(-1)?.data as Json;
    const [log, tags] = data.components.map(({ component }: Json) => component);
    expect(tags.values).toEqual(["b"]);
    const attachment = data.resolved.attachments[log.values[0]];
    expect(attachment).toMatchObject({
      filename: "log.txt",
      size: 11,
      content_type: expect.stringContaining("text/plain"),
    });
    expect(await (await fetch(attachment.url)).text()).toBe("all is well");
  });
});
