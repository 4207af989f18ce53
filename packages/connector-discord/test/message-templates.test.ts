import type { Event } from "@hookline/core";
import { describe, expect, it } from "vitest";
import {
  button,
  type DiscordDestinationOptions,
  type DiscordMessageTemplates,
  defineButton,
  defineMessageTemplate,
  discordDestination,
  linkButton,
  reply,
} from "../src/index.js";
import { BOT_TOKEN, COMPONENT_SECRET } from "./support/app.js";
import { faultsByDiscord } from "./support/discord-schemas.js";
import type { Json } from "./support/json.js";

const claim = defineButton({ name: "claim", answer: "immediate", run: () => reply("claimed") });

const templates: DiscordDestinationOptions["templates"] = {
  "ticket.created": {
    message: ({ data }: Event<Json>) => ({
      embeds: [{ title: data.title, description: "As ever", color: 1, footer: "desk" }],
      buttons: [button(claim, { label: "Claim" }), linkButton("Desk", "https://desk.example.com")],
    }),
  },
  "ticket.silent": { message: () => null },
};
const CHANNEL = { channelId: "300000000000000001" };
const TICKET = {
  id: "t1",
  title: "Printer",
  priority: "urgent",
  author: "**Anna** <@1>",
  tags: ["a", "b"],
  long: "word ".repeat(10),
};

function destination(change: Partial<DiscordDestinationOptions> = {}) {
  return discordDestination({ templates, componentSecret: COMPONENT_SECRET, botToken: BOT_TOKEN, ...change });
}

/** What is posted for an event at an endpoint with these templates; null: nothing. */
async function posted(own: DiscordMessageTemplates | undefined, event: Partial<Event> = {}): Promise<Json> {
  const plan = await destination().plan(
    {
      id: "evt_1",
      type: "ticket.created",
      timestamp: "2026-01-15T10:30:00.000Z",
      tenantId: "default",
      data: TICKET,
      ...event,
    },
    {
      endpoint: {
        id: "ep_1",
        tenantId: "default",
        target: own === undefined ? CHANNEL : { ...CHANNEL, templates: own },
        secrets: [],
      },
      state: null,
      deliveryId: "dlv_1",
      attempt: 1,
      now: new Date(),
      signal: AbortSignal.timeout(5_000),
    },
  );
  if (plan === null) return null;
  if (plan.kind !== "request") throw new Error(`a ${plan.kind} was planned`);
  return JSON.parse(plan.request.body as string);
}

const issuesOf = (own: unknown) =>
  destination()
    .parseTarget?.({ ...CHANNEL, templates: own })
    .issues?.map(({ path, message }) => `${path?.map(String).join(".")} ${message}`);

describe("an endpoint's own message templates", () => {
  it("X10 say colour, title, link, fields and buttons in the place of the app's, and leave the rest", async () => {
    const body = await posted({
      "ticket.created": {
        title: "{{ data.title | upcase }}",
        url: "https://example.com/t/{{ data.id }}",
        color: "{% if data.priority == 'urgent' %}#e74c3c{% else %}#3498db{% endif %}",
        fields: [
          { name: "From", value: "{{ data.author }}", inline: true },
          { name: "Tags", value: "{{ data.tags | join: ', ' }}" },
          { name: "Nobody", value: "{{ data.assignee }}" },
        ],
        buttons: [{ label: "Open {{ data.id }}", url: "https://example.com/t/{{ data.id }}" }],
      },
    });
    expect(body.embeds).toEqual([
      {
        title: "PRINTER",
        description: "As ever",
        url: "https://example.com/t/t1",
        color: 0xe74c3c,
        footer: { text: "desk" },
        fields: [
          { name: "From", value: "\\*\\*Anna\\*\\* \\<\\@1\\>", inline: true },
          { name: "Tags", value: "a, b", inline: false },
        ],
      },
    ]);
    const [row] = body.components;
    expect(row.components.map((one: Json) => [one.label, one.url ?? "acts"])).toEqual([
      ["Claim", "acts"],
      ["Open t1", "https://example.com/t/t1"],
    ]);
    expect(body.allowed_mentions).toEqual({ parse: [] });
    expect(await faultsByDiscord("MessageCreateRequestSchema", body)).toEqual([]);
  });

  it("X10 keep the template's own markup, and escape what the event puts into it", async () => {
    const body = await posted({
      "ticket.created": { content: "**New:** {{ data.author }}", author: "{{ data.author }}" },
    });
    expect(body.content).toBe("**New:** \\*\\*Anna\\*\\* \\<\\@1\\>");
    // Discord reads no markup in an author.
    expect(body.embeds[0].author).toEqual({ name: "**Anna** <@1>" });
  });

  it("X10 count by the most exact type, and show types of which the app says only the name", async () => {
    const own = { "*": { title: "any" }, "ticket.*": { title: "ticket" }, "ticket.created": { title: "created" } };
    const titles = [];
    for (const type of ["ticket.created", "ticket.note.added", "user.created"]) {
      titles.push((await posted(own, { type })).embeds[0].title);
    }
    expect(titles).toEqual(["created", "ticket", "any"]);
    expect(await posted(own, { type: "ticket.silent" })).toBeNull();
    expect((await posted(undefined)).embeds[0].title).toBe("Printer");
  });

  it("X10 N8 are cut to Discord's limits, and drop links that are none", async () => {
    const body = await posted({
      "ticket.created": {
        title: "{{ data.title }}",
        description: "{% for i in (1..90) %}{{ data.long }}{% endfor %}",
        url: "javascript:alert(1)",
        buttons: [{ label: "Open", url: "{{ data.nothing }}" }],
      },
    });
    expect(body.embeds[0].description).toMatch(/…$/);
    expect(body.embeds[0].description.length).toBeGreaterThan(4_000);
    expect(body.embeds[0].url).toBeUndefined();
    expect(body.components[0].components).toHaveLength(1);
    expect(await faultsByDiscord("MessageCreateRequestSchema", body)).toEqual([]);
  });

  it.each([
    [{ "ticket.created": { title: "{{ data.title" } }, /^templates\.ticket\.created\.title is no Liquid template/],
    [{ "ticket.created": { title: "{{ data.title | nonsense }}" } }, /^templates\.ticket\.created\.title is no Liquid/],
    [{ "ticket.created": { color: "red" } }, /^templates\.ticket\.created\.color is #rrggbb/],
    [{ "ticket.created": { title: "x", titel: "x" } }, /^templates\.ticket\.created .*titel/],
    [{ "ticket.created": {} }, /^templates\.ticket\.created says nothing/],
    [{ "ticket created": { title: "x" } }, /^templates\.ticket created is no event type/],
    [{ "ticket.created": { fields: [{ name: "a" }] } }, /^templates\.ticket\.created\.fields\.0\.value /],
    [
      { "ticket.created": { buttons: [{ label: "a", url: "{% if %}" }] } },
      /^templates\.ticket\.created\.buttons\.0\.url/,
    ],
    [{ "ticket.created": { title: "x".repeat(8_193) } }, /^templates\.ticket\.created\.title /],
    ["{{ data.title }}", /^templates /],
  ])("X10 are refused where they are wrong: %j", (own, expected) => {
    expect(issuesOf(own)).toEqual([expect.stringMatching(expected)]);
  });

  it("X10 fail the delivery for good where a direct send brings wrong ones, and where one writes without an end", async () => {
    await expect(posted({ "ticket.created": { color: "red" } })).rejects.toMatchObject({ code: "invalid_target" });
    const endless = "{% for i in (1..100000) %}{% for j in (1..100000) %}x{% endfor %}{% endfor %}";
    await expect(posted({ "ticket.created": { title: endless } })).rejects.toThrow(
      /more than 65536 characters|limit exceeded/,
    );
  });
});

describe("defineMessageTemplate", () => {
  it("X10 makes a template of JSON, with the entity whose message is edited", () => {
    const template = defineMessageTemplate({ title: "{{ data.title }}", entity: "{{ data.id }}" });
    const event = { id: "e", type: "t", timestamp: "", tenantId: "default", data: TICKET };
    expect(template.entity?.(event)).toBe("t1");
    expect(template.entity?.({ ...event, data: {} })).toBeUndefined();
    expect(template.message(event)).toEqual({ embeds: [{ title: { markdown: "Printer" } }] });
    expect(defineMessageTemplate({ title: "x" }).entity).toBeUndefined();
  });

  it("says what is wrong with it", () => {
    expect(() => defineMessageTemplate({ title: "{{", entity: "{% if %}" })).toThrow(
      expect.objectContaining({
        code: "invalid_definition",
        message: expect.stringMatching(/title is no Liquid template.*entity is no Liquid template/),
      }),
    );
  });
});
