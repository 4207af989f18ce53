import { expect, it } from "vitest";
import { discord, github, slack, standardWebhooks, stripe, svix, xtsystems } from "../src/index.js";
import { describeBuilds } from "./builds.js";
import { referenceHmac, standardVector } from "./vectors.js";

const { id, timestamp, body, now, secret, v1, v1a, publicKey } = standardVector;
const good = { "webhook-id": id, "webhook-timestamp": `${timestamp}`, "webhook-signature": v1 } as const;
const key = Buffer.from(secret.slice(6), "base64");

/** A signature that is right for exactly these headers, so that only the strictness refuses them. */
function signedAs(id: string, time: string): Record<string, string> {
  const signature = `v1,${referenceHmac(key, `${id}.${time}.${body}`, "base64")}`;
  return { "webhook-id": id, "webhook-timestamp": time, "webhook-signature": signature };
}

describeBuilds("what verify refuses", ({ verify, verifyAny, sign }) => {
  const options = { scheme: standardWebhooks, secrets: [secret], now };
  const refusal = (headers: Parameters<typeof verify>[1], more = {}) =>
    verify(body, headers, { ...options, ...more }).then(
      () => "accepted",
      ({ name, code, statusCode }) => `${name} ${code} ${statusCode}`,
    );

  it.each([
    ["no headers at all", {}, "missing_header"],
    ["an empty signature", { ...good, "webhook-signature": "" }, "missing_header"],
    ["two ids in an array", { ...good, "webhook-id": [id, id] }, "duplicate_header"],
    [
      "two ids in two spellings",
      { ...good, "webhook-id": undefined, "Webhook-Id": id, "WEBHOOK-ID": id },
      "duplicate_header",
    ],
    ["two ids joined by a comma", { ...good, "webhook-id": `${id}, ${id}` }, "malformed_header"],
    [
      "two timestamps joined by a comma",
      { ...good, "webhook-timestamp": `${timestamp}, ${timestamp}` },
      "malformed_header",
    ],
    ["a timestamp followed by letters, correctly signed", signedAs(id, `${timestamp}abc`), "malformed_header"],
    ["a timestamp with a sign, correctly signed", signedAs(id, `+${timestamp}`), "malformed_header"],
    ["a timestamp with a fraction, correctly signed", signedAs(id, `${timestamp}.0`), "malformed_header"],
    ["a timestamp in hex, correctly signed", signedAs(id, "0x60375932"), "malformed_header"],
    ["a timestamp in Arabic digits, correctly signed", signedAs(id, "١٦١٤٢٦٥٣٣٠"), "malformed_header"],
    ["an id with a dot, correctly signed", signedAs(`a.${timestamp}`, `${timestamp}`), "malformed_header"],
    ["a signature that is no base64", { ...good, "webhook-signature": "v1,not base64" }, "malformed_header"],
    [
      "a signature in the other spelling of the same bits",
      { ...good, "webhook-signature": v1.replace("E=", "F=") },
      "malformed_header",
    ],
    ["a shorter signature", { ...good, "webhook-signature": "v1,AAAA" }, "malformed_header"],
    ["only versions that nobody knows", { ...good, "webhook-signature": "v2,AAAA v3,BBBB" }, "unknown_signature"],
    ["only a v1a signature for a v1 secret", { ...good, "webhook-signature": v1a }, "unknown_signature"],
    ["another body's signature", { ...good, "webhook-signature": `v1,${"A".repeat(43)}=` }, "signature_mismatch"],
    ["another id", { ...good, "webhook-id": "msg_other" }, "signature_mismatch"],
    [
      "17 signatures, one of them right",
      { ...good, "webhook-signature": `${"v9,x ".repeat(16)}${v1}` },
      "too_many_signatures",
    ],
  ])("%s", async (_, headers, code) => {
    expect(await refusal(headers as Record<string, string>)).toBe(`WebhookVerificationError ${code} 401`);
  });

  it("accepts 16 signatures, the last of them right, and skips versions that it does not know", async () => {
    expect(await refusal({ ...good, "webhook-signature": `${"v9,x ".repeat(15)}${v1}` })).toBe("accepted");
  });

  it("reads Headers, Node's headers, arrays of one, and names in any case", async () => {
    expect(await refusal(new Headers(good))).toBe("accepted");
    expect(await refusal({ ...good, "webhook-id": [id] })).toBe("accepted");
    expect(await refusal({ "Webhook-Id": id, "WEBHOOK-TIMESTAMP": `${timestamp}`, "Webhook-Signature": v1 })).toBe(
      "accepted",
    );
  });

  it("holds the tolerance to the second, both ways, and apart where asked", async () => {
    const at = (seconds: number, toleranceSeconds?: unknown) =>
      refusal(good, {
        now: new Date((timestamp + seconds) * 1000),
        ...(toleranceSeconds === undefined ? {} : { toleranceSeconds }),
      });
    const [old, early] = ["timestamp_too_old", "timestamp_too_new"].map(
      (code) => `WebhookVerificationError ${code} 401`,
    );
    expect([await at(300), await at(301), await at(-300), await at(-301)]).toEqual([
      "accepted",
      old,
      "accepted",
      early,
    ]);
    expect([await at(10, 10), await at(11, 10), await at(-10, 10), await at(-11, 10)]).toEqual([
      "accepted",
      old,
      "accepted",
      early,
    ]);
    const apart = { past: 3600, future: 0 };
    expect([await at(3600, apart), await at(3601, apart), await at(-1, apart)]).toEqual(["accepted", old, early]);
    expect(await at(1e9, Number.POSITIVE_INFINITY)).toBe("accepted");
  });

  it.each([Number.NaN, -1, { past: 5, future: Number.NaN }])(
    "throws a TypeError for the tolerance %o instead of letting all through",
    async (toleranceSeconds) => {
      await expect(verify(body, {}, { ...options, toleranceSeconds })).rejects.toThrow(TypeError);
    },
  );

  it("verifies bytes that are not UTF-8, exactly as they came", async () => {
    const bytes = Uint8Array.of(0xff, 0xfe, 0x00, 0xc3, 0x28, 0x80);
    const headers = await sign(bytes, { scheme: standardWebhooks, secrets: [secret], id, timestamp });
    const signature = `v1,${referenceHmac(key, Buffer.concat([Buffer.from(`${id}.${timestamp}.`), bytes]), "base64")}`;
    expect(headers["webhook-signature"]).toBe(signature);
    const verified = await verify(bytes, headers, options);
    expect(verified.body).toBe(bytes);
    expect(() => verified.json()).toThrow(
      expect.objectContaining({ name: "WebhookVerificationError", code: "invalid_json", statusCode: 400 }),
    );
    await expect(verify(new TextDecoder().decode(bytes), headers, options)).rejects.toThrow(
      expect.objectContaining({ code: "signature_mismatch" }),
    );
  });

  it.each([0, 1, 63, 64, 65, 21_504, 21_505, 64_512, 64_513, 200_000])(
    "signs a body of %i characters as node:crypto does, as text and as bytes",
    async (length) => {
      for (const text of ["a".repeat(length), "€".repeat(length)]) {
        const expected = `sha256=${referenceHmac(secret, text, "hex")}`;
        for (const body of [text, Buffer.from(text)]) {
          expect((await sign(body, { scheme: github, secrets: [secret] }))["x-hub-signature-256"]).toBe(expected);
        }
      }
    },
  );

  it("signs with a secret longer than a block of the hash as node:crypto does", async () => {
    const long = "s".repeat(200);
    const signed = await sign(body, { scheme: github, secrets: [long] });
    expect(signed["x-hub-signature-256"]).toBe(`sha256=${referenceHmac(long, body, "hex")}`);
  });

  it("accepts hex in upper case, and nothing around it", async () => {
    const hex = referenceHmac(secret, body, "hex").toUpperCase();
    const check = (value: string) => refusal({ "x-hub-signature-256": value }, { scheme: github });
    expect(await check(`sha256=${hex}`)).toBe("accepted");
    for (const value of [hex, `sha1=${hex}`, `sha256=${hex} `, `sha256=${hex},sha256=${hex}`]) {
      expect(await check(value)).toBe("WebhookVerificationError malformed_header 401");
    }
  });

  it("reads Stripe's header strictly: one timestamp, v0 skipped, several v1", async () => {
    const hex = referenceHmac(secret, `${timestamp}.${body}`, "hex");
    const wrong = "0".repeat(64);
    const check = (value: string) => refusal({ "stripe-signature": value }, { scheme: stripe });
    expect(await check(`t=${timestamp},v1=${hex},v0=${wrong}`)).toBe("accepted");
    expect(await check(`t=${timestamp},v1=${wrong},v1=${hex}`)).toBe("accepted");
    expect(await check(`v1=${hex}`)).toBe("WebhookVerificationError malformed_header 401");
    expect(await check(`t=${timestamp},t=${timestamp},v1=${hex}`)).toBe(
      "WebhookVerificationError malformed_header 401",
    );
    expect(await check(`t=${timestamp},v0=${hex}`)).toBe("WebhookVerificationError unknown_signature 401");
  });

  it("takes no signature of one algorithm for the other", async () => {
    const hmacOverPublicKey = referenceHmac(
      Buffer.from(publicKey.slice(5), "base64"),
      `${id}.${timestamp}.${body}`,
      "base64",
    );
    const headers = { ...good, "webhook-signature": `v1,${hmacOverPublicKey}` };
    expect(await refusal(headers, { secrets: [publicKey] })).toBe("WebhookVerificationError unknown_signature 401");
  });

  it("H5 refuses Discord's probes: a wrong signature, a short one, an old one", async () => {
    const wrong = { "x-signature-timestamp": `${timestamp}`, "x-signature-ed25519": "0".repeat(128) };
    const check = (headers: Record<string, string>) =>
      refusal(headers, { scheme: discord, secrets: [Buffer.from(publicKey.slice(5), "base64").toString("hex")] });
    expect(await check(wrong)).toBe("WebhookVerificationError signature_mismatch 401");
    expect(await check({ ...wrong, "x-signature-ed25519": "00" })).toBe(
      "WebhookVerificationError malformed_header 401",
    );
    expect(await check({ ...wrong, "x-signature-timestamp": `${timestamp - 301}` })).toBe(
      "WebhookVerificationError timestamp_too_old 401",
    );
  });

  it("verifyAny takes the first way whose headers are there, and does not fall back to the next when it refuses", async () => {
    const legacy = "a-legacy-secret-of-the-customer";
    const ways = [{ ...options }, { scheme: xtsystems, secrets: [legacy], now }];
    const modern = await sign(body, { scheme: standardWebhooks, secrets: [secret], id, timestamp });
    const old = await sign(body, { scheme: xtsystems, secrets: [legacy], timestamp });
    expect((await verifyAny(body, modern, ways)).id).toBe(id);
    expect((await verifyAny(body, old, ways)).id).toBeUndefined();
    expect((await verifyAny(body, { ...modern, ...old }, ways)).id).toBe(id);
    const spoiled = { ...modern, ...old, "webhook-signature": v1a };
    await expect(verifyAny(body, spoiled, ways)).rejects.toThrow(
      expect.objectContaining({ code: "unknown_signature" }),
    );
    await expect(verifyAny(body, {}, ways)).rejects.toThrow(expect.objectContaining({ code: "missing_header" }));
    await expect(verifyAny(body, modern, [])).rejects.toThrow(TypeError);
  });

  it("old and new headers travel side by side, each accepted by its own receiver", async () => {
    const legacy = "a-legacy-secret-of-the-customer";
    const headers = {
      ...(await sign(body, { scheme: slack, secrets: [legacy], timestamp })),
      ...(await sign(body, { scheme: svix, secrets: [secret], id, timestamp })),
    };
    expect((await verify(body, headers, { scheme: slack, secrets: [legacy], now })).timestamp).toBe(timestamp);
    expect((await verify(body, headers, { scheme: svix, secrets: [secret], now })).id).toBe(id);
  });

  it.each([{}, null, undefined, 7, [1], { parsed: "body" }])(
    "throws a TypeError that names body parsers for the body %o",
    async (parsed) => {
      await expect(verify(parsed as never, good, options)).rejects.toThrow(/body parser/);
      await expect(sign(parsed as never, { ...options, id, timestamp })).rejects.toThrow(/body parser/);
    },
  );
});
