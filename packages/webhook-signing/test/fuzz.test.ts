import fc from "fast-check";
import { expect, it } from "vitest";
import {
  aiSupport,
  discord,
  erxes,
  github,
  type Scheme,
  shopify,
  slack,
  standardWebhooks,
  stripe,
  svix,
  type WebhookBody,
  xtsystems,
} from "../src/index.js";
import { describeBuilds } from "./builds.js";
import { standardVector } from "./vectors.js";

const text = "a-secret-of-enough-bytes-for-all";
const { secret, publicKey, privateKey } = standardVector;
const privateHex = Buffer.from(privateKey.slice(5), "base64").toString("hex");
const cases: { scheme: Scheme; signing: string[]; verifying: string[] }[] = [
  ...[aiSupport, erxes, github, shopify, slack, stripe, xtsystems].map((scheme) => ({
    scheme,
    signing: [text],
    verifying: [text],
  })),
  ...[standardWebhooks, svix].map((scheme) => ({
    scheme,
    signing: [secret, privateKey],
    verifying: [publicKey, secret],
  })),
  { scheme: discord, signing: [privateHex], verifying: [privateHex.slice(64)] },
];
const anyCase = fc.constantFrom(...cases);
const anyBody: fc.Arbitrary<WebhookBody> = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.json(),
  fc.uint8Array({ maxLength: 300 }),
);
const anyTimestamp = fc.integer({ min: 0, max: 9_999_999_999 });
const anyId = fc.stringMatching(/^[!-\-/-~]{1,40}$/);

function headersOf(scheme: Scheme): string[] {
  return [scheme.idHeader, scheme.timestampHeader, scheme.signatureHeader].filter((name) => name !== undefined);
}

describeBuilds("whatever comes", ({ sign, verify }) => {
  it("what was signed verifies, as text and as bytes, and says the same body, id and timestamp", async () => {
    await fc.assert(
      fc.asyncProperty(
        anyCase,
        anyBody,
        fc.tuple(anyId, anyTimestamp),
        async ({ scheme, signing, verifying }, body, [id, timestamp]) => {
          const headers = await sign(body, { scheme, secrets: signing, id, timestamp });
          const now = new Date(timestamp * 1000);
          const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
          for (const form of [body, bytes]) {
            const verified = await verify(form, headers, { scheme, secrets: verifying, now });
            expect(verified.body).toBe(form);
            if (scheme.idHeader !== undefined) expect(verified.id).toBe(id);
            if (verified.timestamp !== undefined) expect(verified.timestamp).toBe(timestamp);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("one changed byte of the body, or one changed character of a header, is refused", async () => {
    await fc.assert(
      fc.asyncProperty(
        anyCase,
        fc.uint8Array({ minLength: 1, maxLength: 100 }),
        fc.nat(),
        async ({ scheme, signing, verifying }, body, place) => {
          const timestamp = 1_700_000_000;
          const headers = await sign(body, { scheme, secrets: signing, id: "msg_1", timestamp });
          const options = { scheme, secrets: verifying, now: new Date(timestamp * 1000) };
          const changed = Uint8Array.from(body);
          changed[place % body.length] = (changed[place % body.length] as number) ^ 1;
          await expect(verify(changed, headers, options)).rejects.toMatchObject({ code: "signature_mismatch" });
          const names = headersOf(scheme);
          const name = names[place % names.length] as string;
          const value = headers[name] as string;
          // A header of several signatures stays valid as long as one of them is untouched.
          if (scheme.separator === " " && name === scheme.signatureHeader) return;
          const at = place % value.length;
          const other = `${value.slice(0, at)}${value[at] === "7" ? "8" : "7"}${value.slice(at + 1)}`;
          await expect(verify(body, { ...headers, [name]: other }, options)).rejects.toMatchObject({
            name: "WebhookVerificationError",
          });
        },
      ),
      { numRuns: 200 },
    );
  });

  it("nothing but a WebhookVerificationError is thrown, whatever the headers and the body", async () => {
    const pieces = [
      "v1,",
      "v1a,",
      "sha256=",
      "v0=",
      "t=",
      "v1=",
      " ",
      ",",
      "\u0000",
      "é",
      "1700000000",
      "A".repeat(43),
      "=",
      "0".repeat(64),
      "0".repeat(128),
    ];
    const value = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(fc.constantFrom(...pieces)).map((parts) => parts.join("")),
    );
    const strange = fc.oneof(
      value,
      fc.array(value),
      fc.constantFrom(undefined, null, 5, true, {}, [], [undefined], [null], () => "x"),
    );
    await fc.assert(
      fc.asyncProperty(
        anyCase,
        anyBody,
        fc.tuple(fc.array(strange, { minLength: 3, maxLength: 3 }), fc.boolean()),
        async (one, body, [values, spelled]) => {
          const { scheme, verifying } = one;
          const names = headersOf(scheme).map((name) => (spelled ? name.toUpperCase() : name));
          const headers = Object.fromEntries(names.map((name, index) => [name, values[index]]));
          const error = await verify(body, headers as never, {
            scheme,
            secrets: verifying,
            now: new Date(1_700_000_000_000),
          }).then(
            (verified) => verified.json(),
            (error: unknown) => error,
          );
          expect(error).toMatchObject({ name: "WebhookVerificationError" });
        },
      ),
      { numRuns: 600 },
    );
  });

  it("nothing but a WebhookVerificationError is thrown, whatever stands for the headers", async () => {
    await fc.assert(
      fc.asyncProperty(
        anyCase,
        fc.anything({ withBigInt: true, withNullPrototype: true }),
        async ({ scheme, verifying }, headers) => {
          await expect(verify("{}", headers as never, { scheme, secrets: verifying })).rejects.toMatchObject({
            name: "WebhookVerificationError",
          });
        },
      ),
      { numRuns: 300 },
    );
  });
});
