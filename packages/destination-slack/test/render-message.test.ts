import type { MessageAttachment } from "@slack/types";
import { describe, expect, it } from "vitest";
import { escapeMrkdwn } from "../src/message/mrkdwn.js";
import { renderMessage } from "../src/message/render-message.js";
import { SLACK_LIMITS, type SlackMessage } from "../src/message/slack-message.js";

const TIMESTAMP = "2026-11-22T10:00:00.500Z";
const render = (message: SlackMessage) => renderMessage(message, TIMESTAMP);

/** The texts of a message, block by block. */
function textsOf(message: SlackMessage): string[] {
  return render(message).attachments.flatMap(({ blocks }) =>
    blocks.flatMap((block) => {
      if (block.type === "context") return block.elements.map(({ text }) => text);
      return "text" in block ? [block.text.text] : block.fields.map(({ text }) => text);
    }),
  );
}

describe("a rendered message", () => {
  it("A4 has a coloured bar, a title with its link, text, details, the time and a footer", () => {
    const message: SlackMessage = {
      title: "TKT-2026-001 Cannot sign in",
      url: "https://desk.example/tickets/1?a=1&b=2",
      text: "Since this morning.",
      color: "warning",
      fields: [
        { name: "Priority", value: "high" },
        { name: "Customer", value: "Anna" },
      ],
      footer: "Acme",
    };
    expect(textsOf(message)).toEqual([
      "*<https://desk.example/tickets/1?a=1&amp;b=2|TKT-2026-001 Cannot sign in>*",
      "Since this morning.",
      "*Priority*\nhigh",
      "*Customer*\nAnna",
      "<!date^1795341600^{date_short_pretty} {time}|2026-11-22T10:00:00.500Z>  ·  Acme",
    ]);
    expect(render(message)).toMatchObject({
      text: "TKT-2026-001 Cannot sign in",
      attachments: [{ color: "#e2a100" }],
      unfurl_links: false,
    });
  });

  it("has the shape that Slack's own types describe", () => {
    const [attachment] = render({ title: "x", text: "y", fields: [{ name: "a", value: "b" }] }).attachments;
    // What the types of Slack allow, named one by one, so that the compiler compares each.
    const blocks: MessageAttachment["blocks"] = attachment?.blocks.map((block) =>
      block.type === "context"
        ? { type: "context", elements: [...block.elements] }
        : "text" in block
          ? { type: "section", text: block.text }
          : { type: "section", fields: [...block.fields] },
    );
    expect(blocks?.map(({ type }) => type)).toEqual(["section", "section", "section", "context"]);
  });

  it("mentions nobody and links nothing, whatever a user wrote", () => {
    const nasty = "<!channel> <@U123> <https://evil.example|bank> & @here #general https://plain.example";
    const texts = textsOf({ title: nasty, text: nasty, fields: [{ name: nasty, value: nasty }], footer: nasty });
    for (const text of texts) expect(text.replace(/<!date\^[^>]*>/, "")).not.toMatch(/[<>]/);
    const blocks = JSON.stringify(render({ title: nasty, text: nasty, footer: nasty }).attachments);
    expect(blocks.match(/"type":"mrkdwn"/g)).toHaveLength(blocks.match(/"verbatim":true/g)?.length ?? 0);
  });

  it("keeps a bar and a line break in a title from ending its link", () => {
    expect(textsOf({ title: "a|b>\nc", url: "https://x.example/a|b<c>" })[0]).toBe(
      "*<https://x.example/a%7Cb%3Cc%3E|a¦b&gt; c>*",
    );
  });

  it("cuts what is longer than Slack takes, without breaking an entity or an emoji", () => {
    const long = "😀&".repeat(3000);
    const texts = textsOf({
      title: long,
      url: `https://x.example/${"p".repeat(1000)}`,
      text: long,
      fields: Array.from({ length: 30 }, () => ({ name: long, value: long })),
      footer: long,
    });
    const [title, text, ...rest] = texts as [string, string, ...string[]];
    expect(title.length).toBeLessThanOrEqual(SLACK_LIMITS.sectionText);
    expect(text.length).toBeLessThanOrEqual(SLACK_LIMITS.sectionText);
    expect(text.length).toBeGreaterThan(SLACK_LIMITS.sectionText - 10);
    expect(rest).toHaveLength(SLACK_LIMITS.sectionFields + 1);
    for (const part of rest) expect(part.length).toBeLessThanOrEqual(SLACK_LIMITS.fieldText);
    for (const part of texts) {
      expect(part).not.toMatch(/&(?!amp;|lt;|gt;)/);
      expect(Buffer.from(part, "utf8").toString("utf8")).toBe(part);
    }
  });

  it("leaves out a text that is empty, which Slack would refuse", () => {
    expect(textsOf({ title: "x", text: " \n", footer: "" })).toHaveLength(2);
  });

  it.each([
    ["an empty title", { title: " " }],
    ["a link to a script", { title: "x", url: "javascript:alert(1)" }],
    ["a link that is none", { title: "x", url: "tickets/1" }],
    ["a link without an end", { title: "x", url: `https://x.example/${"a".repeat(2001)}` }],
    ["an unknown colour", { title: "x", color: "#12" as const }],
  ])("refuses %s as invalid_message", (_, message) => {
    expect(() => render(message)).toThrow(
      expect.objectContaining({ name: "SlackDestinationError", code: "invalid_message" }),
    );
  });
});

describe("escapeMrkdwn", () => {
  it.each([
    ["abc", 3, "abc"],
    ["abcd", 3, "ab…"],
    ["a&b", 7, "a&amp;b"],
    ["a&b", 6, "a…"],
    ["&&", 6, "&amp;…"],
    ["😀😀", 3, "😀…"],
    ["\ud800x", 9, "\ufffdx"],
  ])("makes %j within %i characters %j", (text, limit, expected) => {
    expect(escapeMrkdwn(text, limit)).toBe(expected);
  });
});
