// What has to hold in every runtime. Imports types only: tests bundle it for a runtime and hand it a build.
// The expected signatures were made with Python's hmac module and with the specification's examples.

import type * as web from "../src/web/index.js";

const text = "a-secret-of-enough-bytes-for-all";
const body = '{"subject":"Größe 😀"}';
const timestamp = 1_700_000_000;
const now = new Date(timestamp * 1000);
const standard = {
  id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
  timestamp: 1614265330,
  body: '{"test": 2432232314}',
  secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  v1: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  privateKey: "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==",
  publicKey: "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
  v1a: "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
};
const overBody = "cd97f7c9ab5eed09b2860d4e640fa1fdf49e556c7a8bea60c631158c38cbfab3";
const known = {
  erxes: {
    "x-erxes-timestamp": "1700000000",
    "x-erxes-signature": "sha256=dafc5d26abe393849c4a594c3be9aa3259418455e90e5fcd0ff67c268f18a301",
    "x-timestamp": "1700000000000",
    "x-hub-signature-256": `sha256=${overBody}`,
  },
  xtsystems: {
    "x-xtsystems-timestamp": "1700000000",
    "x-xtsystems-signature": "sha256=5c70d50a21077b1e22501133377d109ec266a843135f557b39c453b4725b1777",
  },
  aiSupport: { "x-webhook-signature": overBody },
  github: { "x-hub-signature-256": `sha256=${overBody}` },
  shopify: { "x-shopify-hmac-sha256": "zZf3yate7Qmyhg1OZA+h/fSeVWx6i+pgxjEVjDjL+rM=" },
  slack: {
    "x-slack-request-timestamp": "1700000000",
    "x-slack-signature": "v0=8baf2d02ece9c14333bd27ce135a53bef884cd3817d2743cc5f0472f6df148fd",
  },
  stripe: { "stripe-signature": "t=1700000000,v1=dafc5d26abe393849c4a594c3be9aa3259418455e90e5fcd0ff67c268f18a301" },
};

/** `./web`, or the main entry, whose answers need no waiting. */
type Face = typeof web;

function checksOf(face: Face): Record<string, () => Promise<void>> {
  const { sign, verify, standardWebhooks, discord, generateKeyPair, generateSecret } = face;
  const checks: Record<string, () => Promise<void>> = {};
  for (const [name, headers] of Object.entries(known)) {
    checks[`${name} signs and verifies as known`] = async () => {
      const options = { scheme: face[name as keyof typeof known], secrets: [text] };
      equal(await sign(body, { ...options, timestamp }), headers);
      equal((await verify(new TextEncoder().encode(body), headers, { ...options, now })).json(), JSON.parse(body));
      equal(await codeOf(() => verify(`${body} `, headers, { ...options, now })), "signature_mismatch");
    };
  }
  checks["Standard Webhooks v1 and v1a sign and verify as specified"] = async () => {
    const { id, timestamp } = standard;
    const secrets = [standard.secret, standard.privateKey];
    const headers = await sign(standard.body, { scheme: standardWebhooks, secrets, id, timestamp });
    equal(headers["webhook-signature"], `${standard.v1} ${standard.v1a}`);
    for (const secret of [standard.secret, standard.publicKey]) {
      const options = { scheme: standardWebhooks, secrets: [secret], now: new Date(timestamp * 1000) };
      equal((await verify(standard.body, headers, options)).id, id);
      equal(await codeOf(() => verify("{}", headers, options)), "signature_mismatch");
    }
  };
  checks["Discord's ed25519 with a generated pair"] = async () => {
    const { privateKey, publicKey } = await generateKeyPair();
    const headers = await sign(body, { scheme: discord, secrets: [toHex(privateKey)], timestamp });
    const options = { scheme: discord, secrets: [toHex(publicKey)], now };
    equal((await verify(body, headers, options)).timestamp, timestamp);
    equal(await codeOf(() => verify("{}", headers, options)), "signature_mismatch");
  };
  checks["a generated secret, with Headers, by the runtime's own clock"] = async () => {
    const options = { scheme: standardWebhooks, secrets: [generateSecret()] };
    const headers = await sign(body, { ...options, id: "msg_1" });
    equal((await verify(body, new Headers(headers), options)).id, "msg_1");
    equal(await codeOf(() => verify(body, headers, { ...options, now })), "timestamp_too_new");
  };
  checks["bytes that are not UTF-8"] = async () => {
    const bytes = Uint8Array.of(0xff, 0xfe, 0, 0xc3, 0x28);
    const options = { scheme: standardWebhooks, secrets: [standard.secret] };
    const headers = await sign(bytes, { ...options, id: "msg_1" });
    equal((await verify(bytes, headers, options)).body === bytes, true);
  };
  checks["a long body"] = async () => {
    const options = { scheme: standardWebhooks, secrets: [standard.secret] };
    const long = "€".repeat(100_000);
    equal((await verify(long, await sign(long, { ...options, id: "msg_1" }), options)).id, "msg_1");
  };
  checks["faults have their codes"] = async () => {
    const options = { scheme: standardWebhooks, secrets: [standard.secret] };
    equal(await codeOf(() => verify(body, {}, options)), "missing_header");
    equal(await codeOf(() => verify(body, {}, { ...options, secrets: ["whsec_AA=="] })), "secret_too_short");
    equal(await codeOf(() => verify(body, {}, { ...options, secrets: [standard.privateKey] })), "wrong_key");
  };
  checks["the replay guard accepts once"] = async () => {
    const guard = face.createReplayGuard(face.createMemoryReplayStore());
    equal([await guard.accept({ id: "a" }), await guard.accept({ id: "a" })], [true, false]);
  };
  return checks;
}

/** Runs all checks on one build and answers which held and which did not. */
export async function runSuite(face: Face): Promise<{ passed: string[]; failed: string[] }> {
  const passed: string[] = [];
  const failed: string[] = [];
  for (const [name, check] of Object.entries(checksOf(face))) {
    try {
      await check();
      passed.push(name);
    } catch (error) {
      failed.push(`${name}: ${error}`);
    }
  }
  return { passed, failed };
}

function equal(actual: unknown, expected: unknown): void {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (left !== right) throw new Error(`${left} is not ${right}`);
}

async function codeOf(attempt: () => unknown): Promise<unknown> {
  try {
    await attempt();
    return "accepted";
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}

function toHex(key: string): string {
  const binary = atob(key.slice(key.indexOf("_") + 1));
  return Array.from(binary, (character) => character.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}
