import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import {
  aiSupport,
  bodyHmac,
  defineScheme,
  discord,
  erxes,
  github,
  type Scheme,
  shopify,
  slack,
  standardWebhooks,
  stripe,
  svix,
  xtsystems,
} from "../src/index.js";
import { describeBuilds } from "./builds.js";
import { referenceHmac, standardVector } from "./vectors.js";

const secret = "a-secret-of-enough-bytes-for-all";
const timestamp = 1_700_000_000;
const now = new Date(timestamp * 1000);
const body = '{"subject":"Größe 😀"}';

describeBuilds("Standard Webhooks", ({ sign, verify }) => {
  const { id, timestamp, body, now } = standardVector;

  it("signs the specification's v1 example to the letter, and verifies it", async () => {
    const headers = await sign(body, { scheme: standardWebhooks, secrets: [standardVector.secret], id, timestamp });
    expect(headers).toEqual({
      "webhook-id": id,
      "webhook-timestamp": "1614265330",
      "webhook-signature": standardVector.v1,
    });
    const verified = await verify(body, headers, { scheme: standardWebhooks, secrets: [standardVector.secret], now });
    expect(verified).toMatchObject({ id, timestamp, body });
    expect(verified.json()).toEqual({ test: 2432232314 });
  });

  it("signs the specification's v1a example to the letter, and verifies it with the public key", async () => {
    const headers = await sign(body, { scheme: standardWebhooks, secrets: [standardVector.privateKey], id, timestamp });
    expect(headers["webhook-signature"]).toBe(standardVector.v1a);
    const options = { scheme: standardWebhooks, secrets: [standardVector.publicKey], now };
    expect(await verify(body, headers, options)).toMatchObject({ id, timestamp });
  });

  it("signs with every secret given, v1 and v1a in one header, and verifies with any of them", async () => {
    const secrets = [standardVector.secret, standardVector.privateKey];
    const headers = await sign(body, { scheme: standardWebhooks, secrets, id, timestamp });
    expect(headers["webhook-signature"]).toBe(`${standardVector.v1} ${standardVector.v1a}`);
    for (const one of [standardVector.secret, standardVector.publicKey]) {
      expect((await verify(body, headers, { scheme: standardWebhooks, secrets: [one], now })).id).toBe(id);
    }
  });

  it("speaks Svix's header names with the same signature", async () => {
    const headers = await sign(body, { scheme: svix, secrets: [standardVector.secret], id, timestamp });
    expect(headers).toEqual({ "svix-id": id, "svix-timestamp": "1614265330", "svix-signature": standardVector.v1 });
    expect((await verify(body, headers, { scheme: svix, secrets: [standardVector.secret], now })).id).toBe(id);
  });
});

describeBuilds("schemes of one secret", ({ sign, verify }) => {
  const expected: [string, Scheme, Record<string, string>][] = [
    [
      "E2 erxes: the documented headers and those that its server checks",
      erxes,
      {
        "x-erxes-timestamp": "1700000000",
        "x-erxes-signature": `sha256=${referenceHmac(secret, `1700000000.${body}`, "hex")}`,
        "x-timestamp": "1700000000000",
        "x-hub-signature-256": `sha256=${referenceHmac(secret, body, "hex")}`,
      },
    ],
    [
      "X1 XTSystems: timestamp directly followed by the body",
      xtsystems,
      {
        "x-xtsystems-timestamp": "1700000000",
        "x-xtsystems-signature": `sha256=${referenceHmac(secret, `1700000000${body}`, "hex")}`,
      },
    ],
    ["A3 AI Support: plain hex", aiSupport, { "x-webhook-signature": referenceHmac(secret, body, "hex") }],
    ["GitHub", github, { "x-hub-signature-256": `sha256=${referenceHmac(secret, body, "hex")}` }],
    ["Shopify", shopify, { "x-shopify-hmac-sha256": referenceHmac(secret, body, "base64") }],
    [
      "Slack",
      slack,
      {
        "x-slack-request-timestamp": "1700000000",
        "x-slack-signature": `v0=${referenceHmac(secret, `v0:1700000000:${body}`, "hex")}`,
      },
    ],
    ["Stripe", stripe, { "stripe-signature": `t=1700000000,v1=${referenceHmac(secret, `1700000000.${body}`, "hex")}` }],
  ];

  it.each(expected)("%s", async (_, scheme, headers) => {
    expect(await sign(body, { scheme, secrets: [secret], timestamp })).toEqual(headers);
    expect((await verify(body, headers, { scheme, secrets: [secret], now })).body).toBe(body);
    await expect(verify(`${body} `, headers, { scheme, secrets: [secret], now })).rejects.toThrow(
      expect.objectContaining({ code: "signature_mismatch" }),
    );
  });

  it("H5 Discord: ed25519 over timestamp and body, verified with the public key in hex", async () => {
    const privateKey = Buffer.from(standardVector.privateKey.slice(5), "base64").toString("hex");
    const headers = await sign(body, { scheme: discord, secrets: [privateKey], timestamp });
    expect(Object.keys(headers).sort()).toEqual(["x-signature-ed25519", "x-signature-timestamp"]);
    const options = { scheme: discord, secrets: [privateKey.slice(64)], now };
    expect(await verify(body, headers, options)).toMatchObject({ timestamp, body });
    await expect(verify("{}", headers, options)).rejects.toThrow(
      expect.objectContaining({ code: "signature_mismatch" }),
    );
  });

  it("X1 refuses XTSystems deliveries outside five minutes, although the signature is right", async () => {
    const headers = await sign(body, { scheme: xtsystems, secrets: [secret], timestamp });
    const at = (seconds: number) =>
      verify(body, headers, { scheme: xtsystems, secrets: [secret], now: new Date((timestamp + seconds) * 1000) });
    expect(await at(300)).toMatchObject({ timestamp });
    expect(await at(-300)).toMatchObject({ timestamp });
    await expect(at(301)).rejects.toThrow(expect.objectContaining({ code: "timestamp_too_old" }));
    await expect(at(-301)).rejects.toThrow(expect.objectContaining({ code: "timestamp_too_new" }));
  });

  it("X1 verifies the bytes that came, whatever spaces and order the JSON in them has", async () => {
    const spaced = '{ "b":1,\n "a": 2.0 }';
    const headers = await sign(spaced, { scheme: xtsystems, secrets: [secret], timestamp });
    expect((await verify(Buffer.from(spaced), headers, { scheme: xtsystems, secrets: [secret], now })).json()).toEqual({
      a: 2,
      b: 1,
    });
  });
});

describeBuilds("E2 an erxes server", ({ sign }) => {
  it.each([
    ["as documented", acceptsAsDocumented],
    ["as it really checks", acceptsAsChecked],
  ] as const)("E2 %s accepts what sign makes, over HTTP, and refuses another secret", async (_, accepts) => {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => response.writeHead(accepts(request, Buffer.concat(chunks)) ? 200 : 401).end());
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/automation/1/discord-ticket`;
    const post = async (secrets: readonly string[]) => {
      const signed = await sign(body, { scheme: erxes, secrets, timestamp: Math.floor(Date.now() / 1000) });
      const headers = { authorization: "Bearer token-of-the-bot", "content-type": "application/json", ...signed };
      return (await fetch(url, { method: "POST", body, headers })).status;
    };
    try {
      expect(await post([secret])).toBe(200);
      expect(await post(["another-secret-of-enough-bytes"])).toBe(401);
    } finally {
      server.close();
    }
  });
});

function same(a: string, b: unknown): boolean {
  return typeof b === "string" && a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function acceptsAsDocumented({ headers }: IncomingMessage, received: Buffer): boolean {
  const time = String(headers["x-erxes-timestamp"]);
  const expected = createHmac("sha256", secret).update(`${time}.`).update(received).digest("hex");
  const fresh = Math.abs(Date.now() / 1000 - Number(time)) <= 300;
  return fresh && same(`sha256=${expected}`, headers["x-erxes-signature"]) && bearer(headers);
}

function acceptsAsChecked({ headers }: IncomingMessage, received: Buffer): boolean {
  const expected = createHmac("sha256", secret).update(received).digest("hex");
  const fresh = Math.abs(Date.now() - Number(headers["x-timestamp"])) <= 300_000;
  return fresh && same(`sha256=${expected}`, headers["x-hub-signature-256"]) && bearer(headers);
}

function bearer(headers: IncomingMessage["headers"]): boolean {
  return same("Bearer token-of-the-bot", headers.authorization);
}

describeBuilds("own schemes", ({ sign, verify }) => {
  it("defineScheme makes the ingress scheme of the Discord worker in a few lines", async () => {
    const ingress = defineScheme({
      name: "hookline-ingress",
      timestampHeader: "x-hookline-ingress-timestamp",
      signatureHeader: "x-hookline-ingress-signature",
      signaturePrefix: "v1=",
      contentPrefix: ({ timestamp }) => `${timestamp}.`,
      minSecretBytes: 32,
    });
    const headers = await sign(body, { scheme: ingress, secrets: [secret], timestamp });
    expect(headers).toEqual({
      "x-hookline-ingress-timestamp": "1700000000",
      "x-hookline-ingress-signature": `v1=${referenceHmac(secret, `1700000000.${body}`, "hex")}`,
    });
    expect((await verify(body, headers, { scheme: ingress, secrets: [secret], now })).timestamp).toBe(timestamp);
    await expect(
      sign(body, { scheme: ingress, secrets: ["thirty-one-bytes-are-not-enough"], timestamp }),
    ).rejects.toThrow(expect.objectContaining({ name: "WebhookSecretError", code: "secret_too_short" }));
  });

  it("bodyHmac takes header, prefix, encoding and a secret in hex or base64", async () => {
    const key = Buffer.alloc(32, 7);
    for (const secretFormat of ["hex", "base64"] as const) {
      const scheme = bodyHmac({ signatureHeader: "X-Acme", signaturePrefix: "s=", encoding: "base64", secretFormat });
      const headers = await sign(body, { scheme, secrets: [key.toString(secretFormat)] });
      expect(headers).toEqual({ "x-acme": `s=${referenceHmac(key, body, "base64")}` });
    }
  });
});
