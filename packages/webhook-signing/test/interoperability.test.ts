import { createHmac, createPublicKey, verify as verifyEd25519 } from "node:crypto";
import { sign as octokitSign, verify as octokitVerify } from "@octokit/webhooks-methods";
import { isValidSlackRequest } from "@slack/bolt";
import { verifyKey } from "discord-interactions";
import { Webhook as StandardWebhook } from "standardwebhooks";
import Stripe from "stripe";
import { Webhook as SvixWebhook } from "svix";
import nacl from "tweetnacl";
import { describe, expect, it } from "vitest";
import { discord, generateSecret, github, shopify, slack, standardWebhooks, stripe, svix } from "../src/index.js";
import { describeBuilds } from "./builds.js";

const bodies = ["{}", '{"text":"Größe 😀 \\u2028"}', JSON.stringify({ long: "x".repeat(30_000) })];
const date = new Date();
const timestamp = Math.floor(date.getTime() / 1000);
const text = "a-secret-of-enough-bytes-for-all";
const mismatch = expect.objectContaining({ code: "signature_mismatch" });

describeBuilds("interoperability", ({ sign, verify, generateKeyPair }) => {
  describe.each(bodies.map((body) => ({ body, size: body.length })))("a body of $size characters", ({ body }) => {
    it("standardwebhooks verifies what we sign, and we what it signs", async () => {
      const secret = generateSecret();
      const peer = new StandardWebhook(secret);
      const options = { scheme: standardWebhooks, secrets: [secret] };
      expect(peer.verify(body, await sign(body, { ...options, id: "msg_1", timestamp }))).toEqual(JSON.parse(body));
      const headers = {
        "webhook-id": "msg_2",
        "webhook-timestamp": `${timestamp}`,
        "webhook-signature": peer.sign("msg_2", date, body),
      };
      expect((await verify(body, headers, options)).id).toBe("msg_2");
      await expect(verify(body, headers, { ...options, secrets: [generateSecret()] })).rejects.toThrow(mismatch);
    });

    it("standardwebhooks accepts the rotation's two signatures, by either secret", async () => {
      const secrets = [generateSecret(), generateSecret()];
      const headers = await sign(body, { scheme: standardWebhooks, secrets, id: "msg_1", timestamp });
      for (const secret of secrets) expect(new StandardWebhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
    });

    it("svix verifies what we sign, and we what it signs, under both names of the headers", async () => {
      const secret = generateSecret();
      const peer = new SvixWebhook(secret);
      for (const scheme of [svix, standardWebhooks]) {
        const options = { scheme, secrets: [secret] };
        const headers = await sign(body, { ...options, id: "msg_1", timestamp });
        expect(peer.verify(body, headers)).toEqual(JSON.parse(body));
        const theirs = { ...headers, [scheme.signatureHeader]: peer.sign("msg_1", date, body) };
        expect((await verify(body, theirs, options)).id).toBe("msg_1");
      }
    });

    it("@octokit/webhooks-methods verifies what we sign, and we what it signs", async () => {
      const options = { scheme: github, secrets: [text] };
      const headers = await sign(body, options);
      expect(await octokitVerify(text, body, headers["x-hub-signature-256"] as string)).toBe(true);
      expect((await verify(body, { "x-hub-signature-256": await octokitSign(text, body) }, options)).body).toBe(body);
    });

    it("Stripe's library verifies what we sign, and we what it signs", async () => {
      const secret = generateSecret();
      const options = { scheme: stripe, secrets: [secret] };
      const client = new Stripe("sk_test_nothing");
      const headers = await sign(body, { ...options, timestamp });
      expect(client.webhooks.constructEvent(body, headers["stripe-signature"] as string, secret)).toEqual(
        JSON.parse(body),
      );
      const theirs = client.webhooks.generateTestHeaderString({ payload: body, secret, timestamp });
      expect((await verify(body, { "stripe-signature": theirs }, options)).timestamp).toBe(timestamp);
      const other = client.webhooks.generateTestHeaderString({ payload: body, secret: "other", timestamp });
      await expect(verify(body, { "stripe-signature": other }, options)).rejects.toThrow(mismatch);
    });

    it("Stripe's library accepts our two signatures during a rotation", async () => {
      const secrets = [generateSecret(), generateSecret()];
      const headers = await sign(body, { scheme: stripe, secrets, timestamp });
      for (const secret of secrets) {
        const event = new Stripe("sk_test_nothing").webhooks.constructEvent(
          body,
          headers["stripe-signature"] as string,
          secret,
        );
        expect(event).toEqual(JSON.parse(body));
      }
    });

    it("Slack's library verifies what we sign", async () => {
      const headers = await sign(body, { scheme: slack, secrets: [text], timestamp });
      const asked = (signingSecret: string) =>
        isValidSlackRequest({
          signingSecret,
          body,
          headers: {
            "x-slack-signature": headers["x-slack-signature"] as string,
            "x-slack-request-timestamp": Number(headers["x-slack-request-timestamp"]),
          },
        });
      expect([asked(text), asked("another-secret")]).toEqual([true, false]);
      expect((await verify(body, headers, { scheme: slack, secrets: [text] })).timestamp).toBe(timestamp);
    });

    it("H5 discord-interactions verifies what we sign, and we what tweetnacl signs", async () => {
      const pair = nacl.sign.keyPair();
      const publicKeyHex = Buffer.from(pair.publicKey).toString("hex");
      const headers = await sign(body, {
        scheme: discord,
        secrets: [Buffer.from(pair.secretKey).toString("hex")],
        timestamp,
      });
      const [signature, time] = [headers["x-signature-ed25519"] as string, headers["x-signature-timestamp"] as string];
      expect(await verifyKey(body, signature, time, publicKeyHex)).toBe(true);
      const theirs = nacl.sign.detached(Buffer.from(`${timestamp}${body}`), pair.secretKey);
      const received = {
        "x-signature-timestamp": `${timestamp}`,
        "x-signature-ed25519": Buffer.from(theirs).toString("hex"),
      };
      expect((await verify(body, received, { scheme: discord, secrets: [publicKeyHex] })).timestamp).toBe(timestamp);
      const stranger = nacl.sign.detached(Buffer.from(`${timestamp}${body}`), nacl.sign.keyPair().secretKey);
      const forged = { ...received, "x-signature-ed25519": Buffer.from(stranger).toString("hex") };
      await expect(verify(body, forged, { scheme: discord, secrets: [publicKeyHex] })).rejects.toThrow(mismatch);
    });

    it("node:crypto, as a receiver of v1a would use it, verifies what our generated pair signs", async () => {
      const pair = await generateKeyPair();
      const headers = await sign(body, {
        scheme: standardWebhooks,
        secrets: [pair.privateKey],
        id: "msg_1",
        timestamp,
      });
      const x = Buffer.from(pair.publicKey.slice(5), "base64").toString("base64url");
      const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
      const signature = Buffer.from((headers["webhook-signature"] as string).slice(4), "base64");
      expect(verifyEd25519(null, Buffer.from(`msg_1.${timestamp}.${body}`), key, signature)).toBe(true);
    });

    it("Shopify's own recipe agrees", async () => {
      const expected = createHmac("sha256", text).update(body, "utf8").digest("base64");
      expect(await sign(body, { scheme: shopify, secrets: [text] })).toEqual({ "x-shopify-hmac-sha256": expected });
    });
  });

  it("where standardwebhooks 1.1.1 is lax or too strict, we are not", async () => {
    const lax = new StandardWebhook("whsec_AA==");
    const forged = {
      "webhook-id": "a.b",
      "webhook-timestamp": `${timestamp}abc`,
      "webhook-signature": `${"v2,x ".repeat(500)}${lax.sign("a.b", date, "{}")}`,
    };
    expect(lax.verify("{}", forged)).toEqual({});
    const secretFault = verify("{}", forged, { scheme: standardWebhooks, secrets: ["whsec_AA=="] });
    await expect(secretFault).rejects.toThrow(expect.objectContaining({ code: "secret_too_short" }));

    const secret = generateSecret();
    const bytes = Uint8Array.of(0xff, 0xfe);
    const headers = await sign(bytes, { scheme: standardWebhooks, secrets: [secret], id: "msg_1", timestamp });
    expect(() => new StandardWebhook(secret).verify(Buffer.from(bytes), headers)).toThrow("No matching signature");
    expect((await verify(bytes, headers, { scheme: standardWebhooks, secrets: [secret] })).body).toBe(bytes);
  });
});
