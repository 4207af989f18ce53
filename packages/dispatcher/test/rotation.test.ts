import { createPublicKey, verify } from "node:crypto";
import { describeMatrix } from "@hookline/postgres/testing";
import { generateKeyPair, xtsystems } from "@hookline/webhook-signing";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createVirtualClock, type ReceivedRequest } from "../src/testing.js";
import { openDispatcher, openReceiver, subscribeReceiver, TENANT, until } from "./open-dispatcher.js";

const HOUR = 3_600_000;
const EVENT = { tenantId: TENANT, type: "ticket.created", data: { number: 1 } };

/** Whether another implementation of Standard Webhooks, asked at the time of sending, verifies it. */
function accepts(secret: string, request: ReceivedRequest | undefined): boolean {
  if (request === undefined) throw new Error("There was no request.");
  vi.useFakeTimers({ toFake: ["Date"], now: Number(request.headers["webhook-timestamp"]) * 1000 });
  try {
    new Webhook(secret).verify(request.body, request.headers);
    return true;
  } catch {
    return false;
  } finally {
    vi.useRealTimers();
  }
}

/** Whether the v1a signature is that of the key pair, by node:crypto alone. */
function fits(publicKey: string, request: ReceivedRequest | undefined): boolean {
  if (request === undefined) throw new Error("There was no request.");
  const { headers, body } = request;
  const signature = /v1a,(\S+)/.exec(headers["webhook-signature"] ?? "")?.[1] ?? "";
  const key = { kty: "OKP", crv: "Ed25519", x: Buffer.from(publicKey.slice(5), "base64").toString("base64url") };
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  return verify(null, Buffer.from(signed), createPublicKey({ key, format: "jwk" }), Buffer.from(signature, "base64"));
}

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  async function open() {
    const clock = createVirtualClock();
    const opened = await openDispatcher(databases, { clock });
    await opened.dispatcher.start();
    const receiver = await openReceiver();
    /** What arrives of an event that is published now. */
    const publish = async () => {
      const { id: eventId } = await opened.dispatcher.publish(EVENT);
      // Written down too: a clock that moves on before that lets the lease run out.
      const { deliveries } = opened.dispatcher;
      const delivered = { tenantId: TENANT, eventId, status: "delivered" } as const;
      await until(async () => (await deliveries.list(delivered)).deliveries[0]);
      return receiver.requests.find(({ headers }) => headers["webhook-id"] === eventId);
    };
    return { ...opened, clock, receiver, publish };
  }

  it("E14 W8 N4 N7 signs with old and new secret for a day after a rotation, and then with the new one alone", async () => {
    const { dispatcher, clock, receiver, publish } = await open();
    const { secret: oldSecret, ...endpoint } = await subscribeReceiver(dispatcher, receiver);
    const before = await publish();
    const rotated = await dispatcher.endpoints.rotateSecret(endpoint);
    const newSecret = rotated.secret;
    expect(newSecret).toMatch(/^whsec_/);
    expect(rotated.overlapEndsAt.getTime()).toBe(clock.now() + 24 * HOUR);
    expect(await dispatcher.endpoints.get(endpoint)).not.toHaveProperty("secret");
    const verdicts = (request: ReceivedRequest | undefined) =>
      [oldSecret ?? "", newSecret].map((secret) => accepts(secret, request));
    expect(verdicts(before)).toEqual([true, false]);

    const during = await publish();
    expect(during?.headers["webhook-signature"]).toMatch(/^v1,\S+ v1,\S+$/);
    expect(verdicts(during)).toEqual([true, true]);
    clock.advance(24 * HOUR - 1);
    expect(verdicts(await publish())).toEqual([true, true]);
    clock.advance(1);
    expect(verdicts(await publish())).toEqual([false, true]);
  });

  it("E14 revokes every older secret at once when the overlap is 0", async () => {
    const { dispatcher, receiver, publish } = await open();
    const { secret: first, ...endpoint } = await subscribeReceiver(dispatcher, receiver);
    const { secret: second } = await dispatcher.endpoints.rotateSecret(endpoint);
    const { secret: third } = await dispatcher.endpoints.rotateSecret({ ...endpoint, overlapMs: 0 });
    const request = await publish();
    expect([first ?? "", second, third].map((secret) => accepts(secret, request))).toEqual([false, false, true]);
  });

  it("E14 lets each of several rotations in a row end at its own time", async () => {
    const { dispatcher, clock, receiver, publish } = await open();
    const { secret: first, ...endpoint } = await subscribeReceiver(dispatcher, receiver);
    const { secret: second } = await dispatcher.endpoints.rotateSecret({ ...endpoint, overlapMs: 2 * HOUR });
    clock.advance(HOUR);
    const own = `whsec_${Buffer.alloc(32, 9).toString("base64")}`;
    const { secret: third } = await dispatcher.endpoints.rotateSecret({
      ...endpoint,
      secret: own,
      overlapMs: 3 * HOUR,
    });
    expect(third).toBe(own);
    const verdicts = async () => {
      const request = await publish();
      return [first ?? "", second, third].map((secret) => accepts(secret, request));
    };
    expect(await verdicts()).toEqual([true, true, true]);
    clock.advance(HOUR);
    expect(await verdicts()).toEqual([false, true, true]);
    clock.advance(2 * HOUR);
    expect(await verdicts()).toEqual([false, false, true]);
  });

  it("E14 signs a retry with the secrets of its own time", async () => {
    const { dispatcher, clock, receiver } = await open();
    const { secret: first, ...endpoint } = await subscribeReceiver(dispatcher, receiver);
    receiver.answerWith({ status: 500 });
    await dispatcher.publish(EVENT);
    await receiver.waitFor(1);
    const failed = await until(async () =>
      (await dispatcher.deliveries.list({ tenantId: TENANT })).deliveries.find(({ attempts }) => attempts === 1),
    );
    const { secret: second } = await dispatcher.endpoints.rotateSecret({ ...endpoint, overlapMs: 0 });
    receiver.answerWith({});
    clock.advanceTo(failed.nextAttemptAt ?? 0);
    const [before, after] = await receiver.waitFor(2);
    expect([accepts(first ?? "", before), accepts(second, before)]).toEqual([true, false]);
    expect([accepts(first ?? "", after), accepts(second, after)]).toEqual([false, true]);
  });

  it("N4 E14 signs v1a with an ed25519 key, and v1 beside it from a rotation to a shared secret on", async () => {
    const { dispatcher, receiver, publish } = await open();
    const { privateKey, publicKey } = generateKeyPair();
    const target = { url: receiver.url };
    const endpoint = { tenantId: TENANT, target, events: ["*"], secret: privateKey };
    const { id } = await dispatcher.endpoints.create(endpoint);
    const alone = await publish();
    expect(alone?.headers["webhook-signature"]).toMatch(/^v1a,\S+$/);
    expect(fits(publicKey, alone)).toBe(true);
    expect(fits(publicKey, alone && { ...alone, body: alone.body.replace("1", "2") })).toBe(false);

    const { secret } = await dispatcher.endpoints.rotateSecret({ tenantId: TENANT, id });
    const both = await publish();
    expect(both?.headers["webhook-signature"]).toMatch(/^v1,\S+ v1a,\S+$/);
    expect([fits(publicKey, both), accepts(secret, both)]).toEqual([true, true]);
    await expect(dispatcher.endpoints.create({ ...endpoint, secret: publicKey })).rejects.toMatchObject({
      code: "invalid_endpoint",
      issues: [{ path: "secret" }],
    });
  });

  it("E14 tells how old the newest secret is, so that a notice can come in time", async () => {
    const { dispatcher, another, clock, receiver } = await open();
    const { secret: _, ...endpoint } = await subscribeReceiver(dispatcher, receiver);
    const madeAt = new Date(clock.now());
    const age = async () => (await another().endpoints.get(endpoint))?.secretMadeAt;
    clock.advance(90 * 24 * HOUR);
    await dispatcher.endpoints.update(endpoint, { description: "no change of the secret" });
    expect(await age()).toEqual(madeAt);
    await dispatcher.endpoints.rotateSecret(endpoint);
    expect(await age()).toEqual(new Date(clock.now()));
  });

  it("E14 loses none of the rotations that are made at once, in this process and another", async () => {
    const { dispatcher, another, receiver, publish } = await open();
    const { secret: first, ...endpoint } = await subscribeReceiver(dispatcher, receiver);
    const other = another();
    const rotated = await Promise.all(
      [dispatcher, other, dispatcher, other].map((each) => each.endpoints.rotateSecret(endpoint)),
    );
    const request = await publish();
    for (const secret of [first ?? "", ...rotated.map((each) => each.secret)])
      expect(accepts(secret, request)).toBe(true);
    expect(request?.headers["webhook-signature"]?.split(" ")).toHaveLength(5);
  });

  it("E14 signs with the newest secret alone where the header holds one signature", async () => {
    const { dispatcher } = await open();
    const receiver = await openReceiver({ scheme: xtsystems, toleranceSeconds: Number.POSITIVE_INFINITY });
    const target = { url: receiver.url, scheme: "xtsystems", profile: "xtsystems" };
    const { id } = await dispatcher.endpoints.create({ tenantId: TENANT, target, events: ["*"] });
    const { secret } = await dispatcher.endpoints.rotateSecret({ tenantId: TENANT, id });
    receiver.useSecret(secret);
    await dispatcher.publish(EVENT);
    expect(await receiver.waitFor(1)).toMatchObject([{ verified: true }]);
  });

  it("E14 refuses what cannot be rotated, and keeps the secret as it was", async () => {
    const { dispatcher, receiver, publish } = await open();
    const { secret, ...endpoint } = await subscribeReceiver(dispatcher, receiver);
    const rotate = (more: object) => dispatcher.endpoints.rotateSecret({ ...endpoint, ...more });
    await expect(rotate({ tenantId: "globex" })).rejects.toMatchObject({ code: "endpoint_not_found" });
    await expect(rotate({ secret: "whsec_c2hvcnQ=" })).rejects.toMatchObject({ issues: [{ path: "secret" }] });
    await expect(rotate({ secret })).rejects.toMatchObject({ code: "secret_unchanged", issues: [{ path: "secret" }] });
    await expect(rotate({ overlapMs: -1 })).rejects.toMatchObject({ issues: [{ path: "overlapMs" }] });
    await expect(rotate({ overlapMs: Number.NaN })).rejects.toMatchObject({ issues: [{ path: "overlapMs" }] });
    dispatcher.use({ id: "work", plan: () => null });
    const mute = await dispatcher.endpoints.create({ tenantId: TENANT, destination: "work", target: 1, events: ["x"] });
    await expect(rotate({ id: mute.id })).rejects.toMatchObject({ issues: [{ path: "destination" }] });
    const request = await publish();
    expect(accepts(secret ?? "", request)).toBe(true);
    expect(request?.headers["webhook-signature"]).not.toContain(" ");
  });
});
