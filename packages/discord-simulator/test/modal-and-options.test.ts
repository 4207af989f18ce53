import { REST } from "@discordjs/rest";
import { Routes } from "discord-api-types/v10";
import { afterEach, describe, expect, it } from "vitest";
import { type InteractionsApp, type Payload, startInteractionsApp } from "./interactions-app.js";
import { simulatorFactory } from "./started-simulator.js";

interface SubmittedData {
  readonly components: readonly { readonly component: Readonly<Record<string, unknown>> }[];
  readonly resolved: { readonly users: object };
}

describe("what people fill in", () => {
  const start = simulatorFactory();
  const apps: InteractionsApp[] = [];
  afterEach(async () => {
    for (const app of apps.splice(0)) {
      await app.close();
    }
  });

  async function connected(command: object, answer: (payload: Payload) => unknown) {
    const simulator = await start();
    const app = await startInteractionsApp({ simulator, answer });
    apps.push(app);
    await simulator.setInteractionsUrl(app.url);
    const rest = new REST({ api: `${simulator.url}/api` }).setToken(simulator.application.botToken);
    await rest.post(Routes.applicationCommands(simulator.application.id), { body: command });
    return { anna: simulator.member("anna"), app };
  }

  it("N6 fills in every kind of field of a modal", async () => {
    const label = (text: string, component: object) => ({ type: 18, label: text, component });
    const modal = {
      custom_id: "ticket",
      title: "New ticket",
      components: [
        label("Title", { type: 4, custom_id: "title", style: 1, min_length: 3 }),
        label("Priority", {
          type: 3,
          custom_id: "priority",
          options: [
            { label: "Low", value: "0", default: true },
            { label: "High", value: "2" },
          ],
        }),
        label("Who", { type: 5, custom_id: "who", max_values: 2, required: false }),
        label("Kind", {
          type: 21,
          custom_id: "kind",
          options: [
            { label: "Bug", value: "bug" },
            { label: "Wish", value: "wish" },
          ],
        }),
        label("Urgent", { type: 23, custom_id: "urgent" }),
      ],
    };
    const { anna, app } = await connected({ name: "ticket", description: "Ticket" }, ({ type }) =>
      type === 2 ? { type: 9, data: modal } : { type: 4, data: { content: "ok" } },
    );
    const ticket = await anna.slash("ticket");
    expect(ticket.modal?.fields.map(({ kind }) => kind)).toEqual(["text", "select", "entities", "radio", "checkbox"]);
    await expect(ticket.submitModal({ title: "ab", kind: "bug" })).rejects.toMatchObject({ code: "invalid_field" });
    await expect(ticket.submitModal({ title: "abc" })).rejects.toMatchObject({ code: "invalid_choice" });
    await ticket.submitModal({ title: "abc", Who: ["ben", "mod"], Kind: "Wish", urgent: true });
    const data = app.received[1]?.data as unknown as SubmittedData;
    const [title, priority, who, kind, urgent] = data.components.map(({ component }) => component);
    expect([title?.value, priority?.values, kind?.value, urgent?.value]).toEqual(["abc", ["0"], "wish", true]);
    expect(who?.values).toHaveLength(2);
    expect(Object.keys(data.resolved.users)).toEqual(who?.values);
  });

  it("N6 types options of subcommands, and is offered choices while typing", async () => {
    const command = {
      name: "config",
      description: "Config",
      options: [
        {
          type: 1,
          name: "set",
          description: "Set",
          options: [
            { type: 3, name: "key", description: "Key", required: true, autocomplete: true, max_length: 6 },
            { type: 4, name: "count", description: "Count", max_value: 5 },
            { type: 5, name: "on", description: "On" },
            { type: 7, name: "channel", description: "Channel" },
          ],
        },
      ],
    };
    const { anna, app } = await connected(command, ({ type }) =>
      type === 4
        ? { type: 8, data: { choices: [{ name: "Colour", value: "colour" }] } }
        : { type: 4, data: { content: "ok" } },
    );
    expect(await anna.autocomplete("config set", { option: "key", text: "co" })).toEqual([
      { name: "Colour", value: "colour" },
    ]);
    expect(app.received[0]).toMatchObject({
      type: 4,
      data: { options: [{ name: "set", options: [{ name: "key", value: "co", focused: true }] }] },
    });
    await expect(anna.slash("config", {})).rejects.toMatchObject({ code: "invalid_option" });
    await expect(anna.slash("config set", { key: "x", count: 6 })).rejects.toMatchObject({ code: "invalid_option" });
    await expect(anna.slash("config set", { key: "x", other: 1 })).rejects.toMatchObject({ code: "invalid_option" });
    await expect(anna.slash("config set", { key: "👍👍👍👍👍👍👍" })).rejects.toMatchObject({ code: "invalid_option" });
    await anna.slash("config set", { key: "colour", count: 5, on: true, channel: "#ops" });
    expect(app.received[1]?.data).toMatchObject({
      options: [
        {
          type: 1,
          name: "set",
          options: [{ value: "colour" }, { type: 4, value: 5 }, { type: 5, value: true }, { type: 7, name: "channel" }],
        },
      ],
      resolved: { channels: {} },
    });
    // In characters: in UTF-16 these are twice as many.
    expect(await anna.slash("config set", { key: "👍👍👍👍👍👍" })).toMatchObject({ status: "answered" });
  });
});
