import { createPrivateKey, createPublicKey } from "node:crypto";
import { expect, it } from "vitest";
import { discord, erxes, generateSecret, github, standardWebhooks, xtsystems } from "../src/index.js";
import { describeBuilds } from "./builds.js";
import { standardVector } from "./vectors.js";

const { id, timestamp, body, now, secret, privateKey, publicKey } = standardVector;
const bytes = (count: number, prefix = "whsec_") => prefix + Buffer.alloc(count, 3).toString("base64");

describeBuilds("secrets", ({ sign, verify, generateKeyPair }) => {
  const faultOf = (attempt: Promise<unknown>) =>
    attempt.then(
      () => "none",
      ({ name, code }) => `${name} ${code}`,
    );

  it.each([
    ["an empty list", [], "no_secret"],
    ["undefined in the list, as an unset variable leaves it", [undefined], "malformed_secret"],
    ["an empty one", ["whsec_"], "malformed_secret"],
    ["one that is no base64", ["whsec_not-base64-at-all!!"], "malformed_secret"],
    ["base64 without its padding", [bytes(32).replace("=", "")], "malformed_secret"],
    ["one byte", [bytes(1)], "secret_too_short"],
    ["23 bytes", [bytes(23)], "secret_too_short"],
    ["65 bytes", [bytes(65)], "secret_too_long"],
    ["a private key of 63 bytes", [bytes(63, "whsk_")], "malformed_secret"],
    ["a public key of 31 bytes", [bytes(31, "whpk_")], "malformed_secret"],
    ["a private key under the public prefix", [`whpk_${privateKey.slice(5)}`], "malformed_secret"],
  ])("%s is the operator's fault, for signing and for verifying, whatever the request", async (_, secrets, code) => {
    const options = { scheme: standardWebhooks, secrets: secrets as string[], id, timestamp };
    expect(await faultOf(sign(body, options))).toBe(`WebhookSecretError ${code}`);
    expect(await faultOf(verify(body, {}, options))).toBe(`WebhookSecretError ${code}`);
  });

  it("accepts 24 to 64 bytes, with or without the prefix", async () => {
    for (const one of [bytes(24), bytes(64), bytes(32, "")]) {
      const headers = await sign(body, { scheme: standardWebhooks, secrets: [one], id, timestamp });
      expect((await verify(body, headers, { scheme: standardWebhooks, secrets: [one], now })).id).toBe(id);
    }
  });

  it("a public key does not sign, a private key does not verify", async () => {
    expect(await faultOf(sign(body, { scheme: standardWebhooks, secrets: [publicKey], id }))).toBe(
      "WebhookSecretError wrong_key",
    );
    expect(await faultOf(verify(body, {}, { scheme: standardWebhooks, secrets: [privateKey] }))).toBe(
      "WebhookSecretError wrong_key",
    );
    const hex = Buffer.from(privateKey.slice(5), "base64").toString("hex");
    expect(await faultOf(verify(body, {}, { scheme: discord, secrets: [hex] }))).toBe("WebhookSecretError wrong_key");
    expect(await faultOf(sign(body, { scheme: discord, secrets: [hex.slice(64)] }))).toBe(
      "WebhookSecretError wrong_key",
    );
  });

  it("a private key whose halves do not belong together does not sign", async () => {
    const spoiled = Buffer.from(privateKey.slice(5), "base64").fill(
      Buffer.from(publicKey.slice(5), "base64").reverse(),
      32,
    );
    const secrets = [`whsk_${spoiled.toString("base64")}`];
    expect(await faultOf(sign(body, { scheme: standardWebhooks, secrets, id }))).toBe(
      "WebhookSecretError malformed_secret",
    );
  });

  it("a public key that is no point of the curve accepts nothing", async () => {
    const secrets = [`whpk_${Buffer.alloc(32, 0xff).toString("base64")}`];
    const headers = await sign(body, { scheme: standardWebhooks, secrets: [privateKey], id, timestamp });
    expect(await faultOf(verify(body, headers, { scheme: standardWebhooks, secrets, now }))).toMatch(
      /^Webhook(Secret|Verification)Error /,
    );
  });

  it("text secrets need 16 bytes, and those that GitHub's and XTSystems' users choose 8", async () => {
    const tooShort = "WebhookSecretError secret_too_short";
    expect(await faultOf(sign(body, { scheme: erxes, secrets: ["fifteen-bytes.."] }))).toBe(tooShort);
    expect(await faultOf(sign(body, { scheme: erxes, secrets: ["sixteen-bytes..."] }))).toBe("none");
    for (const scheme of [github, xtsystems]) {
      expect(await faultOf(sign(body, { scheme, secrets: ["7-bytes"] }))).toBe(tooShort);
      expect(await faultOf(sign(body, { scheme, secrets: ["8-bytes."] }))).toBe("none");
    }
  });

  it("no message of an error shows the secret", async () => {
    const marked = "whsec_TOPSECRETTOPSECRET!";
    const error = await sign(body, { scheme: standardWebhooks, secrets: [marked], id }).catch((error: Error) => error);
    expect(JSON.stringify([String(error), (error as Error).stack, error])).not.toContain("TOPSECRET");
  });

  it("rotates without downtime: each step's sender is accepted by the receiver before and after it", async () => {
    const [old, next] = [generateSecret(), generateSecret()];
    const accepts = async (signing: string[], verifying: string[]) => {
      const headers = await sign(body, { scheme: standardWebhooks, secrets: signing, id, timestamp });
      return faultOf(verify(body, headers, { scheme: standardWebhooks, secrets: verifying, now }));
    };
    for (const receiver of [[old], [next, old], [next]]) expect(await accepts([next, old], receiver)).toBe("none");
    for (const sender of [[old], [next, old], [next]]) expect(await accepts(sender, [next, old])).toBe("none");
    expect(await accepts([old], [next])).toBe("WebhookVerificationError signature_mismatch");
  });

  it("a scheme whose header holds one signature signs with the newest secret and verifies with each", async () => {
    const [old, next] = ["the-old-secret-of-many-bytes", "the-new-secret-of-many-bytes"] as const;
    const headers = await sign(body, { scheme: xtsystems, secrets: [next, old], timestamp });
    expect(headers).toEqual(await sign(body, { scheme: xtsystems, secrets: [next], timestamp }));
    const before = await sign(body, { scheme: xtsystems, secrets: [old], timestamp });
    expect((await verify(body, before, { scheme: xtsystems, secrets: [next, old], now })).timestamp).toBe(timestamp);
  });

  it("keeps apart keys of many secrets, also beyond what it remembers", async () => {
    const all = Array.from({ length: 4200 }, (_, index) => `a-secret-with-its-number-${index}`);
    const first = await sign(body, { scheme: github, secrets: [all[0] as string] });
    for (const one of all) await sign("", { scheme: github, secrets: [one] });
    expect(await sign(body, { scheme: github, secrets: [all[0] as string] })).toEqual(first);
    const seen = new Set<string>();
    for (const one of all) seen.add(Object.values(await sign(body, { scheme: github, secrets: [one] })).join());
    expect(seen.size).toBe(4200);
  });

  it("generates secrets and pairs that work, different each time", async () => {
    const secrets = new Set(Array.from({ length: 50 }, () => generateSecret()));
    expect(secrets.size).toBe(50);
    for (const one of secrets) expect(one).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const pair = await generateKeyPair();
    const headers = await sign(body, { scheme: standardWebhooks, secrets: [pair.privateKey], id, timestamp });
    expect((await verify(body, headers, { scheme: standardWebhooks, secrets: [pair.publicKey], now })).id).toBe(id);
    const seed = Buffer.from(pair.privateKey.slice(5), "base64").subarray(0, 32);
    const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
    const derived = createPublicKey(createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" })).export({
      format: "jwk",
    });
    expect(Buffer.from(derived.x ?? "", "base64url").toString("base64")).toBe(pair.publicKey.slice(5));
  });

  it.each([
    ["no id", { id: undefined }],
    ["an id with a dot", { id: "msg.1" }],
    ["an id with a line break", { id: "msg\r\nx-evil: 1" }],
    ["milliseconds for seconds", { timestamp: 1_700_000_000_000 }],
    ["a fraction of a second", { timestamp: 1_700_000_000.5 }],
    ["no number", { timestamp: Number.NaN }],
  ])("sign throws a TypeError for %s", async (_, wrong) => {
    await expect(
      sign(body, { scheme: standardWebhooks, secrets: [secret], id, timestamp, ...wrong } as never),
    ).rejects.toThrow(TypeError);
  });

  it("signs with the machine's time where none is given", async () => {
    const before = Math.floor(Date.now() / 1000);
    const headers = await sign(body, { scheme: xtsystems, secrets: ["sixteen-bytes..."] });
    expect(Number(headers["x-xtsystems-timestamp"]) - before).toBeLessThan(30);
    expect(Number(headers["x-xtsystems-timestamp"])).toBeGreaterThanOrEqual(before);
  });
});
