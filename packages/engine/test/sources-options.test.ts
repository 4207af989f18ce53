import { defineSource } from "@hookline/core";
import { discord, generateKeyPair, generateSecret, standardWebhooks, xtsystems } from "@hookline/webhook-signing";
import ipaddr from "ipaddr.js";
import { expect, it } from "vitest";
import { z } from "zod";
import { createEngine, type EngineSource, supportSource, xtsystemsSource } from "../src/index.js";
import { readAllowedAddresses } from "../src/sources/allowed-addresses.js";

const bearer = ["a-token-that-is-long-enough"];
const secrets = ["a secret of sixteen bytes"];
const base = { id: "one", path: "/hooks/one", schema: z.unknown(), transform: () => [] };

// None of these is reached: options are checked first.
const create = (...sources: EngineSource[]) =>
  createEngine({
    database: {} as never,
    outbox: {} as never,
    eventLog: {} as never,
    encryptionKey: Buffer.alloc(32).toString("base64"),
    sources,
  });

it("E8 takes a source that is closed by a bearer or a scheme, and one that says it is open", () => {
  create(
    defineSource({ ...base, bearer }),
    defineSource({ ...base, id: "two", path: "/hooks/two", scheme: xtsystems, secrets }),
    defineSource({ ...base, id: "three", path: "/hooks/three", open: true }),
    defineSource({ ...base, id: "four", method: "PUT", open: true }),
    xtsystemsSource({ secrets }),
    supportSource({ open: true }),
  );
});

it.each<[string, object]>([
  ["neither bearer nor scheme", {}],
  ["allowed addresses alone", { allowedAddresses: ["192.0.2.1"] }],
  ["a scheme without secrets", { scheme: xtsystems }],
  ["secrets without a scheme", { secrets, bearer }],
  ["no secret", { scheme: xtsystems, secrets: [] }],
  ["a short secret", { scheme: xtsystems, secrets: ["short"] }],
  ["a malformed secret among good ones", { scheme: standardWebhooks, secrets: [generateSecret(), "whsec_!"] }],
  ["a private key to verify with", { scheme: standardWebhooks, secrets: [generateKeyPair().privateKey] }],
  ["a key of the wrong length", { scheme: discord, secrets: ["00"] }],
  ["no token", { bearer: [] }],
  ["a short token", { bearer: ["short"] }],
  ["a token that no header carries", { bearer: ["sixteen characters"] }],
  ["open beside a bearer", { bearer, open: true }],
  ["an empty list of addresses", { bearer, allowedAddresses: [] }],
  ["an address that is none", { bearer, allowedAddresses: ["192.0.2.1", "192.0.2.256"] }],
  ["a network that is none", { bearer, allowedAddresses: ["192.0.2.0/33"] }],
  ["a path with a parameter", { bearer, path: "/hooks/:id" }],
  ["a path that is none", { bearer, path: "hooks" }],
  ["an id that is none", { bearer, id: "One!" }],
  ["a method without a body", { bearer, method: "GET" }],
  ["a rate limit of nothing", { bearer, rateLimit: { max: 0, windowSeconds: 60 } }],
  ["a size of nothing", { bearer, maxBodyBytes: Number.NaN }],
  ["a tolerance that is none", { scheme: xtsystems, secrets, toleranceSeconds: Number.NaN }],
  ["replay without a scheme", { bearer, replay: { ttlSeconds: 60 } }],
  ["forgetting a request while its signature holds", { scheme: xtsystems, secrets, replay: { ttlSeconds: 599 } }],
  ["an empty tenant", { bearer, tenantId: "" }],
])("E8 createEngine refuses a source with %s", (_what, options) => {
  expect(() => create({ ...base, ...options })).toThrow(
    expect.objectContaining({ name: "EngineError", code: "invalid_options" }),
  );
});

it("createEngine refuses two sources of one id, or of one path and method", () => {
  const one = defineSource({ ...base, bearer });
  for (const other of [{ path: "/hooks/two" }, { id: "two" }]) {
    expect(() => create(one, { ...one, ...other })).toThrow(expect.objectContaining({ code: "invalid_options" }));
  }
});

it("an error about a secret does not show it", () => {
  try {
    create({ ...base, scheme: standardWebhooks, secrets: ["whsec_do-not-show"] });
    expect.unreachable();
  } catch (error) {
    expect(`${error} ${(error as Error).cause}`).not.toContain("do-not-show");
  }
});

it.each([
  ["192.0.2.0/25", "192.0.2.127", "192.0.2.128"],
  ["192.0.2.77/25", "192.0.2.1", "192.0.2.129"],
  ["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"],
  ["::ffff:192.0.2.0/120", "192.0.2.255", "192.0.3.0"],
  ["0.0.0.0/0", "203.0.113.7", "2001:db8::1"],
  ["::/0", "2001:db8::1", "203.0.113.7"],
  ["2001:db8:1::/48", "2001:db8:1:ffff::1", "2001:db8:2::1"],
  ["2001:DB8::1", "2001:db8:0:0:0:0:0:1", "2001:db8::2"],
  ["10.0.0.0/9", "10.127.255.255", "10.128.0.0"],
])("E8 %s allows %s and not %s", (network, inside, outside) => {
  const allows = readAllowedAddresses(["198.51.100.1", network]);
  expect([inside, outside].map((address) => allows(ipaddr.process(address)))).toEqual([true, false]);
  expect(allows(null)).toBe(false);
});

it.each(["10.1", "010.0.0.1", "0x7f.0.0.1", "192.0.2.0/", "192.0.2.0/-1", "192.0.2.0/8/8", "fe80::1%eth0", "", "*"])(
  "E8 %j is no address that one could allow",
  (entry) => {
    expect(() => readAllowedAddresses([entry])).toThrow(expect.objectContaining({ code: "invalid_options" }));
  },
);
