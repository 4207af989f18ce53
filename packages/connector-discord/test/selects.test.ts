import { afterEach, describe, expect, it } from "vitest";
import { defineCommand, defineSelect, reply, select, updateMessage } from "../src/index.js";
import { choose, press, slash, startApp, type TestApp } from "./support/app.js";
import { faultsByDiscord } from "./support/discord-schemas.js";
import type { Json } from "./support/json.js";

let app: TestApp;
afterEach(() => app.close());

const EPHEMERAL = 64;
const seen: unknown[] = [];

const priority = defineSelect({
  name: "priority",
  params: ["ticketId"],
  choose: [
    { label: "Low", value: "low" },
    { label: "High", value: "high", description: "At once" },
  ],
  placeholder: "Set the priority",
  answer: "immediate",
  run: ({ params, values: [chosen] }) => updateMessage({ content: `${params.ticketId} is ${chosen} now` }),
});
const keep = (values: unknown) => {
  seen.push(values);
  return reply("kept");
};
const people = defineSelect({
  name: "people",
  choose: "users",
  minValues: 0,
  maxValues: 3,
  answer: "immediate",
  run: ({ values }) => keep(values),
});
const role = defineSelect({ name: "role", choose: "roles", answer: "immediate", run: ({ values }) => keep(values) });
const channel = defineSelect({
  name: "channel",
  choose: "channels",
  channelTypes: ["GuildText"],
  answer: "immediate",
  run: ({ values }) => keep(values),
});
const anyone = defineSelect({
  name: "anyone",
  choose: "mentionables",
  maxValues: 2,
  answer: "immediate",
  run: ({ values }) => keep(values.map((one) => (one.kind === "role" ? one.name : one.username))),
});
const show = defineCommand({
  name: "show",
  description: "Shows",
  answer: "immediate",
  run: () =>
    reply({
      selects: [
        select(priority, { params: { ticketId: "tkt:1" }, chosen: ["high"] }),
        select(people, { chosen: ["400000000000000001"] }),
        select(role, { placeholder: "Which role", disabled: true }),
        select(channel),
        select(anyone, { chosen: ["400000000000000001", "role:500000000000000001"] }),
      ],
    }),
});

const users = {
  "7": { id: "7", username: "mod", global_name: "Mod" },
  "8": { id: "8", username: "gone" },
};
const members = { "7": { nick: "Boss", roles: ["9"], permissions: "32" } };

async function shown(): Promise<Json[]> {
  app = await startApp({ commands: [show], components: [priority, people, role, channel, anyone] });
  const { body } = await app.interact(slash("show"));
  expect(await faultsByDiscord("CreateMessageInteractionCallbackRequestSchema", body)).toEqual([]);
  return body.data.components.map((row: Json) => row.components[0]);
}

describe("selects", () => {
  it("stand in a row each, as Discord describes them, with what is chosen and a signed custom_id", async () => {
    const [first, second, third, fourth, fifth] = await shown();
    expect(first).toMatchObject({
      type: 3,
      min_values: 1,
      max_values: 1,
      placeholder: "Set the priority",
      options: [
        { label: "Low", value: "low", default: false },
        { label: "High", value: "high", description: "At once", default: true },
      ],
    });
    expect(first.custom_id.length).toBeLessThanOrEqual(100);
    expect(second).toMatchObject({
      type: 5,
      min_values: 0,
      max_values: 3,
      default_values: [{ id: "400000000000000001", type: "user" }],
    });
    expect(third).toMatchObject({ type: 6, placeholder: "Which role", disabled: true });
    expect(fourth).toMatchObject({ type: 8, channel_types: [0] });
    expect(fifth).toMatchObject({
      type: 7,
      default_values: [
        { id: "400000000000000001", type: "user" },
        { id: "500000000000000001", type: "role" },
      ],
    });
  });

  it("X4 hands the handler the option that was chosen, and changes the message", async () => {
    const [{ custom_id: customId }] = await shown();
    const { body } = await app.interact(choose(customId, { values: ["high"] }));
    expect(body).toMatchObject({ type: 7, data: { content: "tkt:1 is high now" } });
  });

  it("hands the handler users, roles and channels with what Discord says of them", async () => {
    const [, ...menus] = await shown();
    seen.length = 0;
    const resolved = {
      users,
      members,
      roles: { "9": { id: "9", name: "Verified", color: 1 } },
      channels: { "3": { id: "3", name: "ops", type: 0 } },
    };
    const answers = [
      choose(menus[0].custom_id, { values: ["8", "7"], type: 5, resolved }),
      choose(menus[0].custom_id, { values: [], type: 5 }),
      choose(menus[1].custom_id, { values: ["9"], type: 6, resolved }),
      choose(menus[2].custom_id, { values: ["3"], type: 8, resolved }),
      choose(menus[3].custom_id, { values: ["9", "8"], type: 7, resolved }),
    ];
    for (const body of answers) expect((await app.interact(body)).body.data.content).toBe("kept");
    expect(seen).toEqual([
      [
        { id: "8", username: "gone", globalName: null, member: null },
        {
          id: "7",
          username: "mod",
          globalName: "Mod",
          member: { nickname: "Boss", roleIds: ["9"], permissions: 32n },
        },
      ],
      [],
      [{ id: "9", name: "Verified" }],
      [{ id: "3", name: "ops", type: 0 }],
      ["Verified", "gone"],
    ]);
  });

  it("X4 offers what a function says for who is shown the menu, and takes only what it still offers", async () => {
    let offered = ["t1", "t2", "t1", ""];
    let mayChoose = true;
    const asked: unknown[] = [];
    const ticket = defineSelect({
      name: "ticket",
      params: ["queue"],
      choose: async ({ user, tenantId, params }) => {
        asked.push([user.username, tenantId, params.queue]);
        return offered.map((value) => ({ label: `Ticket ${value} ${"x".repeat(100)}`, value }));
      },
      maxValues: 5,
      requires: () => mayChoose,
      answer: "immediate",
      run: ({ values }) => reply(`chose ${values.join()}`),
    });
    const content = () => reply({ content: "Yours", selects: [select(ticket, { params: { queue: "vip" } })] });
    const mine = defineCommand({ name: "mine", description: "Mine", answer: "immediate", run: content });
    const later = defineCommand({
      name: "later",
      description: "Later",
      answer: "deferred",
      run: async () => content(),
    });
    app = await startApp({ commands: [mine, later], components: [ticket] });
    const { body } = await app.interact(slash("mine"));
    expect(await faultsByDiscord("CreateMessageInteractionCallbackRequestSchema", body)).toEqual([]);
    const menu = body.data.components[0].components[0];
    expect(menu).toMatchObject({ type: 3, min_values: 1, max_values: 2 });
    expect(menu.options.map(({ value }: Json) => value)).toEqual(["t1", "t2"]);
    expect(menu.options[0].label).toHaveLength(100);
    expect(asked).toEqual([["anna", "default", "vip"]]);

    const answer = async (values: string[]) =>
      (await app.interact(choose(menu.custom_id, { values }))).body.data.content;
    expect(await answer(["t2"])).toBe("chose t2");
    mayChoose = false;
    expect(await answer(["t2"])).toContain("permission");
    expect(asked).toHaveLength(2);
    mayChoose = true;
    offered = ["t1"];
    expect(await answer(["t2"])).toBe("This choice can't be taken any more.");

    await app.interact(slash("later"));
    await app.deliver();
    expect(JSON.stringify(app.discord.calls)).toContain("Ticket t1");
    offered = [];
    expect((await app.interact(slash("mine"))).body.data).toMatchObject({ content: "Yours", components: [] });
    // A channel's message is shown to nobody in particular.
    const message = { selects: [select(ticket, { params: { queue: "vip" } })] };
    await expect(app.connector.actions.sendMessage({ channelId: "1", message })).rejects.toMatchObject({
      code: "invalid_option",
    });
  });

  it("X4 asks again for the options that a deferred answer lacks, and not the handler", async () => {
    const did: string[] = [];
    const ticket = defineSelect({
      name: "ticket",
      choose: async () => {
        did.push("asked");
        if (did.length === 2) throw new Error("The desk is away.");
        return [{ label: "Ticket 1", value: "t1" }];
      },
      answer: "immediate",
      run: keep,
    });
    const later = defineCommand({
      name: "later",
      description: "Later",
      answer: "deferred",
      run: async () => {
        did.push("done");
        return reply({ content: "Yours", selects: [select(ticket)] });
      },
    });
    app = await startApp({ commands: [later], components: [ticket] });
    await app.interact(slash("later"));
    app.discord.next.push({ status: 503 });
    expect(await app.deliver()).toEqual([["retry", "retry", "delivered"]]);
    expect(did).toEqual(["done", "asked", "asked"]);
    expect(JSON.stringify(app.discord.calls.at(-1)?.body)).toContain("Ticket 1");
  });

  it.each([
    ["a value that is not offered", { values: ["medium"] }],
    ["more than it takes", { values: ["low", "high"] }],
    ["nothing", { values: [] }],
  ])("refuses %s in a private sentence", async (_what, chosen) => {
    const [{ custom_id: customId }] = await shown();
    const { body } = await app.interact(choose(customId, chosen));
    expect(body).toMatchObject({
      type: 4,
      data: { content: "This choice can't be taken any more.", flags: EPHEMERAL },
    });
  });

  it("refuses ids that Discord says nothing of, and one id twice", async () => {
    const [, { custom_id: customId }] = await shown();
    seen.length = 0;
    for (const values of [["5"], ["7", "7"]]) {
      const { body } = await app.interact(choose(customId, { values, type: 5, resolved: { users } }));
      expect(body.data.content).toBe("This choice can't be taken any more.");
    }
    expect(seen).toEqual([]);
  });

  it("does not take a menu of somebody else's, nor a button's custom_id signed for a menu", async () => {
    const [{ custom_id: customId }] = await shown();
    const forged = await app.interact(choose(customId.replace("tkt", "tkx"), { values: ["high"] }));
    expect(forged.body).toMatchObject({ type: 4, data: { flags: EPHEMERAL } });
    await app.close();
    app = await startApp();
    expect((await app.interact(press(customId))).body.data.content).toBe("This menu does not lead anywhere any more.");
  });

  it("refuses definitions that Discord would not take", async () => {
    app = await startApp();
    const option = { label: "A", value: "a" };
    const base = { name: "a", answer: "immediate", run: () => reply("b") } as const;
    const wrong = [
      () => defineSelect({ ...base, name: "A b", choose: "users" }),
      () => defineSelect({ ...base, choose: [] }),
      () => defineSelect({ ...base, choose: [option, option] }),
      () => defineSelect({ ...base, choose: [option], maxValues: 2 }),
      () => defineSelect({ ...base, choose: "users", minValues: 2 }),
      () => defineSelect({ ...base, choose: "users", maxValues: 26 }),
      () => defineSelect({ ...base, choose: "users", placeholder: "x".repeat(151) }),
      () => defineSelect({ ...base, choose: "users", cooldown: { seconds: 0 } }),
    ];
    for (const define of wrong) expect(define).toThrow(expect.objectContaining({ code: "invalid_definition" }));
    const params = Array.from({ length: 40 }, (_, index) => `param${index}`);
    expect(() => defineSelect({ ...base, choose: "users", params })).toThrow(
      expect.objectContaining({ code: "custom_id_too_long" }),
    );
  });
});
