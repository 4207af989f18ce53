import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  button,
  code,
  defineButton,
  defineCommand,
  defineModal,
  escapeMarkdown,
  linkButton,
  type MessageContent,
  markdown,
  reply,
} from "../src/index.js";
import { createCustomIds } from "../src/interactions/custom-id.js";
import { cutText } from "../src/message/cut-text.js";
import { renderMessage } from "../src/message/render-message.js";
import { COMPONENT_SECRET } from "./support/app.js";
import { faultsByDiscord } from "./support/discord-schemas.js";

const customIds = createCustomIds(COMPONENT_SECRET);
const render = (message: MessageContent) => renderMessage(message, customIds);
const press = defineButton({ name: "press", params: ["what"], answer: "immediate", run: () => reply("ok") });

/** Each half of a pair stands beside its other half. */
const isWhole = (text: string) => !/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text);

describe("N8 messages", () => {
  it("are cut to every limit that Discord has, over all embeds together", async () => {
    const long = "long ".repeat(2_000);
    const body = render({
      content: long,
      embeds: Array.from({ length: 12 }, () => ({
        title: long,
        description: long,
        author: long,
        footer: long,
        fields: Array.from({ length: 30 }, () => ({ name: long, value: long })),
      })),
      buttons: Array.from({ length: 30 }, (_, index) =>
        button(press, { label: long, params: { what: String(index) } }),
      ),
    });
    expect(await faultsByDiscord("MessageCreateRequestSchema", body)).toEqual([]);
    const total = body.embeds
      .flatMap(({ title, description, author, footer, fields }) => [
        title,
        description,
        author?.name,
        footer?.text,
        ...(fields ?? []).flatMap(({ name, value }) => [name, value]),
      ])
      .reduce((sum, text) => sum + (text?.length ?? 0), 0);
    expect(total).toBeLessThanOrEqual(6_000);
    expect(total).toBeGreaterThan(5_000);
    expect(body.content.length).toBeGreaterThan(1_990);
    expect(body.components).toHaveLength(5);
  });

  it("stay valid when there is nothing to say", async () => {
    for (const message of [
      {},
      { content: "" },
      { embeds: [{}] },
      { embeds: [{ title: "", fields: [{ name: "", value: "" }] }] },
    ]) {
      const body = render(message);
      expect(await faultsByDiscord("MessageCreateRequestSchema", body)).toEqual([]);
      expect(body.content !== "" || body.embeds.length > 0).toBe(true);
    }
  });

  it("leave out what would sink the whole message: blank texts, addresses and times that are none", async () => {
    const body = render({
      content: " \n",
      embeds: [
        {
          title: " ",
          description: "here",
          url: "javascript:alert(1)",
          timestamp: "yesterday",
          fields: [{ name: " ", value: "\t" }],
        },
      ],
      buttons: [linkButton("Open", "not a url"), linkButton(" ", "https://example.com")],
    });
    expect(body.embeds).toEqual([{ description: "here", fields: [{ name: "–", value: "–", inline: false }] }]);
    expect(body.components[0]?.components).toEqual([{ type: 2, style: 5, label: "–", url: "https://example.com" }]);
    expect(await faultsByDiscord("MessageCreateRequestSchema", body)).toEqual([]);
  });

  it("write addresses as Discord takes them", () => {
    const addresses = ["https://ü.example/ä b?q=ö#c", "https:example.com/x", "HTTPS://a.example/X_(y)"];
    const body = render({
      embeds: [{ title: "t", url: addresses[0] ?? "" }],
      buttons: addresses.map((url) => linkButton("Open", url)),
    });
    expect(body.embeds[0]?.url).toBe("https://xn--tda.example/%C3%A4%20b?q=%C3%B6#c");
    expect(body.components[0]?.components.map((item) => "url" in item && item.url)).toEqual([
      "https://xn--tda.example/%C3%A4%20b?q=%C3%B6#c",
      "https://example.com/x",
      "HTTPS://a.example/X_(y)",
    ]);
    // Longer once it is written so.
    expect(
      render({ content: "x", buttons: [linkButton("Open", `https://a.example/${"ä".repeat(200)}`)] }).components,
    ).toEqual([]);
  });

  it("show whatever an event's data holds, since one number would sink the whole message", () => {
    const data = JSON.parse('{ "number": 42, "open": true, "owner": null }');
    const fields = [
      { name: "Open", value: data.open },
      { name: data.number, value: data.nowhere },
    ];
    const [embed] = render({
      embeds: [{ title: data.number, description: data.owner, footer: data.number, fields }],
    }).embeds;
    expect(embed).toEqual({
      title: "42",
      footer: { text: "42" },
      fields: [
        { name: "Open", value: "true", inline: false },
        { name: "42", value: "–", inline: false },
      ],
    });
  });

  it("never mention anybody", () => {
    expect(render({ content: markdown`@everyone <@400000000000000001>` }).allowed_mentions).toEqual({ parse: [] });
  });

  it("keep surrogate pairs whole and do not end in half an escape, wherever they are cut", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), fc.nat(60), (text, limit) => {
        const cut = cutText(escapeMarkdown(text), limit);
        const fits = cut.length <= limit;
        const whole = isWhole(cut) || !isWhole(text);
        const halfEscape = cut !== escapeMarkdown(text) && /(?:^|[^\\])(?:\\\\)*\\…$/.test(cut);
        return fits && whole && !halfEscape;
      }),
    );
    expect(cutText("ab👍cd", 4)).toBe("ab…");
    expect(cutText("ab\\*cd", 4)).toBe("ab…");
  });

  it("keep together what is read as one character, wherever they are cut", () => {
    const cuts = (text: string) => Array.from({ length: text.length }, (_, limit) => cutText(text, limit));
    expect(new Set(cuts("a👨‍👩‍👧‍👦b"))).toEqual(new Set(["", "…", "a…"]));
    expect(new Set(cuts("🇩🇪🇫🇷!"))).toEqual(new Set(["", "…", "🇩🇪…"]));
    expect(new Set(cuts("e\u0301e\u0301!"))).toEqual(new Set(["", "…", "e\u0301…"]));
    // More than any emoji has, but still no half of a pair.
    const piled = `a${"\u{1d165}".repeat(200)}`;
    expect(cuts(piled).every((cut) => isWhole(cut) && cut.length <= 401)).toBe(true);
    expect(cutText(piled, 301).length).toBeGreaterThan(290);
  });

  it("keep no part of a mention or an address, which would lead elsewhere", () => {
    const cut = (text: string) => cutText(text, 30);
    expect(cut("who: <@123456789012345678> <@123456789012345678>")).toBe("who: <@123456789012345678>…");
    expect(cut(`${"x".repeat(10)} <@1234567890123456789>`)).toBe(`${"x".repeat(10)}…`);
    expect(cut(`${"x".repeat(20)} <t:1700000000:R>`)).toBe(`${"x".repeat(20)}…`);
    expect(cut("see https://desk.example.com/tickets/42")).toBe("see…");
    expect(cut("see https://desk.example.com/ and more")).toBe("see https://desk.example.com/…");
    expect(cut("https://desk.example.com/tickets/42")).toBe("https://desk.example.com/tick…");
    expect(cut("one is < two and <three> is markup")).toBe("one is < two and <three> is m…");
  });

  it("show people's words as they were typed", () => {
    expect(escapeMarkdown("# no heading\n- no list\n1. no number\n> no quote")).toBe(
      "\\# no heading\n\\- no list\n1\\. no number\n\\> no quote",
    );
    expect(escapeMarkdown("||spoiler|| `code` ~~gone~~ __under__")).toBe(
      "\\|\\|spoiler\\|\\| \\`code\\` \\~\\~gone\\~\\~ \\_\\_under\\_\\_",
    );
    expect(escapeMarkdown("(see https://example.com/a_b) [https://example.com]")).toBe(
      "\\(see https://example.com/a_b) \\[https://example.com]",
    );
    expect(escapeMarkdown("[click](https://evil.example)")).toBe("\\[click\\]\\(https://evil.example)");
    expect(escapeMarkdown("[https://a.example](https://evil.example)")).toBe(
      "\\[https://a.example]\\(https://evil.example)",
    );
    expect(escapeMarkdown("at 192.168.1.100")).toBe("at 192.168.1.100");
    expect(markdown`**${"a*b"}** ${markdown`_${"c_d"}_`} ${7}`.markdown).toBe("**a\\*b** _c\\_d_ 7");
    expect(markdown`${code("DESKTOP_001 `x`")}`.markdown).toBe("`DESKTOP_001 ˋxˋ`");
  });

  it("do not escape where Discord reads no markup", () => {
    const [embed] = render({ embeds: [{ title: "a_b", author: "a_b", footer: "a_b" }] }).embeds;
    expect(embed).toEqual({ title: "a\\_b", author: { name: "a_b" }, footer: { text: "a_b" } });
  });
});

describe("custom_ids", () => {
  it("carry name and params, signed, in 100 characters", () => {
    const route = { kind: "button" as const, name: "press", params: ["a:b", "ü/%", ""] };
    const text = customIds.encode(route);
    expect(text.length).toBeLessThanOrEqual(100);
    expect(customIds.decode(text)).toEqual(route);
    expect(createCustomIds("another-secret-of-more-than-32-characters").decode(text)).toBeNull();
  });

  it("are refused whichever character was changed", () => {
    const text = customIds.encode({ kind: "modal", name: "form", params: ["42"] });
    for (let index = 0; index < text.length; index += 1) {
      const other = text[index] === "A" ? "B" : "A";
      expect(customIds.decode(text.slice(0, index) + other + text.slice(index + 1))).toBeNull();
    }
    fc.assert(fc.property(fc.string({ maxLength: 120 }), (random) => customIds.decode(random) === null));
  });

  it("say clearly when params leave too little room", () => {
    expect(() => render({ buttons: [button(press, { label: "x", params: { what: "x".repeat(80) } })] })).toThrow(
      /custom_id of the button "press" would have 108 characters, Discord takes 100/,
    );
    // A wrong type, as JavaScript or a cast would pass it.
    expect(() => render({ buttons: [button(press, { label: "x", params: {} as { what: string } })] })).toThrow(
      /without its param "what"/,
    );
    const params = Array.from({ length: 40 }, (_, index) => `p${index}`);
    expect(() => defineButton({ name: "wide", params, answer: "immediate", run: () => reply("ok") })).toThrow(
      /Discord takes 100/,
    );
  });
});

describe("definitions", () => {
  const run = () => reply("ok");

  it.each([
    ["a button's name", () => defineButton({ name: "No Spaces", answer: "immediate", run }), /name of a button/],
    [
      "a command's name",
      () => defineCommand({ name: "Shout", description: "x", answer: "immediate", run }),
      /name of a command/,
    ],
    ["a description", () => defineCommand({ name: "x", description: "", answer: "immediate", run }), /takes 1 to 100/],
    [
      "an optional option in front of a required one",
      () =>
        defineCommand({
          name: "x",
          description: "x",
          options: { a: { type: "string", description: "x" }, b: { type: "string", description: "x", required: true } },
          answer: "immediate",
          run,
        }),
      /required option "b"/,
    ],
    [
      "a title",
      () =>
        defineModal({
          name: "x",
          title: "x".repeat(46),
          fields: { a: { kind: "text", label: "A" } },
          answer: "immediate",
          run,
        }),
      /takes 1 to 45/,
    ],
    ["no fields", () => defineModal({ name: "x", title: "x", fields: {}, answer: "immediate", run }), /takes 1 to 5/],
    [
      "a select without options",
      () =>
        defineModal({
          name: "x",
          title: "x",
          fields: { a: { kind: "select", label: "A", options: [] } },
          answer: "immediate",
          run,
        }),
      /1 to 25 options/,
    ],
  ])("refuse %s that Discord would refuse", (_what, define, message) => {
    expect(define).toThrow(message);
    expect(define).toThrow(expect.objectContaining({ code: "invalid_definition" }));
  });
});
