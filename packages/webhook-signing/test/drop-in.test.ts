import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { describe, expect, it } from "vitest";
import { Webhook } from "../src/drop-in.js";
import { generateSecret } from "../src/index.js";

const secret = generateSecret();
const raw = "a-raw-key-of-enough-bytes";
const date = new Date();
const body = '{"text":"Größe"}';
const names = ["webhook", "svix"] as const;

function headersFor(name: string, signature: string): Record<string, string> {
  const timestamp = String(Math.floor(date.getTime() / 1000));
  return { [`${name}-id`]: "msg_1", [`${name}-timestamp`]: timestamp, [`${name}-signature`]: signature };
}

describe.each([
  ["standardwebhooks", StandardWebhook, names.slice(0, 1)],
  ["svix", SvixWebhook, names],
] as const)("in the place of %s", (_, Peer, spoken) => {
  it("signs the same, and each verifies what the other signed", () => {
    const [ours, theirs] = [new Webhook(secret), new Peer(secret)];
    expect(ours.sign("msg_1", date, body)).toBe(theirs.sign("msg_1", date, body));
    for (const name of spoken) {
      const headers = headersFor(name, ours.sign("msg_1", date, body));
      expect(ours.verify(body, headers)).toEqual({ text: "Größe" });
      expect(theirs.verify(body, headers)).toEqual({ text: "Größe" });
    }
  });

  it("throws an error of the same name for the same requests", () => {
    const good = headersFor("webhook", new Webhook(secret).sign("msg_1", date, body));
    for (const bad of [{}, { ...good, "webhook-id": "msg_2" }, { ...good, "webhook-timestamp": "1614265330" }]) {
      for (const either of [new Webhook(secret), new Peer(secret)]) {
        expect(() => either.verify(body, bad)).toThrow(expect.objectContaining({ name: "WebhookVerificationError" }));
      }
    }
  });

  it("takes raw keys as they do", () => {
    for (const key of [raw, Buffer.from(raw)]) {
      const theirs = new Peer(key, { format: "raw" }).sign("msg_1", date, body);
      expect(new Webhook(key, { format: "raw" }).sign("msg_1", date, body)).toBe(theirs);
    }
  });
});

it("does not parse an empty body, or where it is told not to", () => {
  const webhook = new Webhook(secret);
  expect(webhook.verify("", headersFor("webhook", webhook.sign("msg_1", date, "")))).toBeUndefined();
  const headers = headersFor("webhook", webhook.sign("msg_1", date, "no json"));
  expect(webhook.verify("no json", headers, { jsonParse: false })).toBeUndefined();
  expect(() => webhook.verify("no json", headers)).toThrow(expect.objectContaining({ code: "invalid_json" }));
});
