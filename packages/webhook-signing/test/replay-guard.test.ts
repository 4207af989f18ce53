import nacl from "tweetnacl";
import { expect, it } from "vitest";
import { createMemoryReplayStore, createReplayGuard, discord, sign, standardWebhooks, verify } from "../src/index.js";
import { standardVector } from "./vectors.js";

const { id, timestamp, body, now, secret } = standardVector;

it("accepts each message once, although its signature stays valid", async () => {
  const guard = createReplayGuard(createMemoryReplayStore());
  const headers = sign(body, { scheme: standardWebhooks, secrets: [secret], id, timestamp });
  const receive = () => guard.accept(verify(body, headers, { scheme: standardWebhooks, secrets: [secret], now }));
  expect([await receive(), await receive(), await receive()]).toEqual([true, false, false]);
  expect(await guard.accept({ id: "msg_other" })).toBe(true);
});

it("H5 accepts an interaction of Discord once, by the id in its verified body", async () => {
  const pair = nacl.sign.keyPair();
  const secrets = [Buffer.from(pair.publicKey).toString("hex")];
  const guard = createReplayGuard(createMemoryReplayStore());
  const send = (interaction: { readonly id: string; readonly type: number }) => {
    const sent = JSON.stringify(interaction);
    const signature = nacl.sign.detached(Buffer.from(`${timestamp}${sent}`), pair.secretKey);
    const headers = {
      "x-signature-timestamp": `${timestamp}`,
      "x-signature-ed25519": Buffer.from(signature).toString("hex"),
    };
    return { sent, headers };
  };
  const receive = ({ sent, headers }: ReturnType<typeof send>) =>
    guard.accept(verify(sent, headers, { scheme: discord, secrets, now }).json<{ id: string }>());

  const ping = send({ id: "1130000000000000000", type: 1 });
  const forged = { ...ping, sent: ping.sent.replace('"type":1', '"type":2') };
  expect(() => receive(forged)).toThrow(expect.objectContaining({ code: "signature_mismatch" }));
  expect([await receive(ping), await receive(ping)]).toEqual([true, false]);
  expect(await receive(send({ id: "1130000000000000001", type: 1 }))).toBe(true);
});

it("of many at once, one is accepted", async () => {
  const guard = createReplayGuard(createMemoryReplayStore());
  const answers = await Promise.all(Array.from({ length: 20 }, () => guard.accept({ id })));
  expect(answers.filter(Boolean)).toHaveLength(1);
});

it("remembers longer than a signature is valid, and then forgets", async () => {
  let nowMs = 0;
  const guard = createReplayGuard(createMemoryReplayStore({ now: () => nowMs }));
  expect(await guard.accept({ id })).toBe(true);
  nowMs = 600_000;
  expect(await guard.accept({ id })).toBe(false);
  nowMs = 900_000;
  expect(await guard.accept({ id })).toBe(true);
});

it("forgets on request, so that a sender's next attempt is handled after a failure", async () => {
  const guard = createReplayGuard(createMemoryReplayStore());
  await guard.accept({ id });
  await guard.forget({ id });
  expect(await guard.accept({ id })).toBe(true);
});

it("throws when it is full of what it must not forget, and takes new ones once that expired", async () => {
  let nowMs = 0;
  const guard = createReplayGuard(createMemoryReplayStore({ maxKeys: 2, now: () => nowMs }), { ttlSeconds: 10 });
  await guard.accept({ id: "a" });
  await guard.accept({ id: "b" });
  await expect(guard.accept({ id: "c" })).rejects.toThrow(RangeError);
  expect(await guard.accept({ id: "a" })).toBe(false);
  nowMs = 10_000;
  expect(await guard.accept({ id: "c" })).toBe(true);
});

it("takes new ones in the place of those that expired behind one that is kept longer", async () => {
  let nowMs = 0;
  const store = createMemoryReplayStore({ maxKeys: 3, now: () => nowMs });
  const [long, short] = [createReplayGuard(store, { ttlSeconds: 900 }), createReplayGuard(store, { ttlSeconds: 10 })];
  await long.accept({ id: "long" });
  await short.accept({ id: "a" });
  await short.accept({ id: "b" });
  nowMs = 9_999;
  await expect(short.accept({ id: "c" })).rejects.toThrow(RangeError);
  nowMs = 10_000;
  expect([await short.accept({ id: "c" }), await short.accept({ id: "a" })]).toEqual([true, true]);
  expect(await long.accept({ id: "long" })).toBe(false);
  await expect(short.accept({ id: "d" })).rejects.toThrow(RangeError);
});

it("is closed when the store fails", async () => {
  const guard = createReplayGuard({ add: () => Promise.reject(new Error("store is down")), delete: () => undefined });
  await expect(guard.accept({ id })).rejects.toThrow("store is down");
});

it("asks for an id where the scheme has none", async () => {
  await expect(createReplayGuard(createMemoryReplayStore()).accept({})).rejects.toThrow(TypeError);
});

it("keeps the ids of several senders apart in one store", async () => {
  const store = createMemoryReplayStore();
  const [one, other] = ["one:", "other:"].map((scope) => createReplayGuard(store, { scope }));
  expect([await one?.accept({ id }), await other?.accept({ id }), await one?.accept({ id })]).toEqual([
    true,
    true,
    false,
  ]);
});
