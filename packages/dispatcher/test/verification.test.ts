import { describeMatrix } from "@hookline/postgres/testing";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ReceivedRequest } from "../src/testing.js";
import { openDispatcher, openReceiver, TENANT } from "./open-dispatcher.js";
import { openHttp } from "./open-http.js";

const challengeOf = (request: ReceivedRequest): string | undefined =>
  (request.json() as { readonly challenge?: string }).challenge;

const echo = (request: ReceivedRequest) => {
  const challenge = challengeOf(request);
  return challenge === undefined ? {} : { body: challenge };
};

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("W8 holds what is for an unverified URL until it answers a signed challenge", async () => {
    const { dispatcher } = await openDispatcher(databases);
    await dispatcher.start();
    const receiver = await openReceiver();
    const made = await dispatcher.endpoints.create({
      tenantId: TENANT,
      target: { url: receiver.url },
      events: ["*"],
      verify: true,
    });
    expect(made).toMatchObject({ active: false, verification: "pending", disabledReason: expect.any(String) });
    const { id: eventId } = await dispatcher.publish({ tenantId: TENANT, type: "a.b", data: {} });
    expect((await dispatcher.deliveries.list({ tenantId: TENANT })).deliveries).toMatchObject([{ status: "held" }]);
    for (const change of [dispatcher.endpoints.enable, dispatcher.endpoints.update]) {
      await expect(change(made, { active: true })).rejects.toMatchObject({ code: "endpoint_unverified" });
    }

    const failed = await dispatcher.endpoints.verify(made);
    expect(failed).toMatchObject({
      verified: false,
      endpoint: { active: false, verification: "pending" },
      attempt: { outcome: "dead", status: 200, reason: "The answer does not hold the challenge." },
    });
    receiver.answerWith(echo);
    const verified = await dispatcher.endpoints.verify(made);
    expect(verified).toMatchObject({
      verified: true,
      endpoint: { active: true, verification: "verified", disabledReason: null },
      attempt: { outcome: "delivered" },
    });
    const [first, second, third] = await receiver.waitFor(3);
    const sent = new Webhook(made.secret ?? "").verify(second?.body ?? "", second?.headers ?? {});
    expect(sent).toEqual({ type: "url_verification", challenge: expect.stringMatching(/^[\w-]{43}$/) });
    expect(first && challengeOf(first)).not.toBe(second && challengeOf(second));
    expect(third?.headers["webhook-id"]).toBe(eventId);
  });

  it("W8 takes the challenge as JSON too, and nothing else for it", async () => {
    const { dispatcher } = await openDispatcher(databases, { verifyEndpoints: true });
    const receiver = await openReceiver();
    const made = await dispatcher.endpoints.create({ tenantId: TENANT, target: { url: receiver.url }, events: ["*"] });
    expect(made.verification).toBe("pending");
    for (const answer of [
      (request: ReceivedRequest) => ({ body: request.body }),
      (request: ReceivedRequest) => ({ body: JSON.stringify({ challenge: challengeOf(request) }) }),
    ]) {
      receiver.answerWith(answer);
      expect(await dispatcher.endpoints.verify(made)).toMatchObject({ verified: true });
    }
    for (const answer of [
      (request: ReceivedRequest) => ({ status: 400, body: challengeOf(request) ?? "" }),
      (request: ReceivedRequest) => ({ body: `<p>${challengeOf(request)}</p>` }),
      () => ({ body: "null" }),
      () => ({ status: 302, headers: { location: "/" } }),
    ]) {
      receiver.answerWith(answer);
      expect(await dispatcher.endpoints.verify(made)).toMatchObject({
        verified: false,
        endpoint: { active: true, verification: "verified" },
      });
    }
  });

  it("W8 wants another URL verified anew, and no change beside it", async () => {
    const { dispatcher } = await openDispatcher(databases);
    const [receiver, other] = [await openReceiver({ answer: echo }), await openReceiver({ answer: echo })];
    const target = { url: receiver.url };
    const made = await dispatcher.endpoints.create({ tenantId: TENANT, target, events: ["*"], verify: true });
    await dispatcher.endpoints.verify(made);
    expect(await dispatcher.endpoints.update(made, { target: { ...target, profile: "support" } })).toMatchObject({
      active: true,
      verification: "verified",
    });
    const moved = { target: { url: other.url } };
    await expect(dispatcher.endpoints.update(made, { ...moved, active: true })).rejects.toMatchObject({
      code: "endpoint_unverified",
    });
    expect(await dispatcher.endpoints.update(made, moved)).toMatchObject({ active: false, verification: "pending" });
    expect(await dispatcher.endpoints.verify(made)).toMatchObject({ verified: true, endpoint: { active: true } });
  });

  it("W8 does not take the answer of a URL for that of the one it was changed to meanwhile", async () => {
    const { dispatcher } = await openDispatcher(databases);
    const other = await openReceiver();
    const endpoint: { id: string; tenantId: string } = { id: "", tenantId: TENANT };
    const receiver = await openReceiver({
      async answer(request) {
        await dispatcher.endpoints.update(endpoint, { target: { url: other.url } });
        return echo(request);
      },
    });
    const target = { url: receiver.url };
    const made = await dispatcher.endpoints.create({ tenantId: TENANT, target, events: ["*"], verify: true });
    endpoint.id = made.id;
    expect(await dispatcher.endpoints.verify(made)).toMatchObject({
      verified: false,
      endpoint: { active: false, verification: "pending" },
    });
  });

  it("W8 leaves inactive, when it is verified, what its owner disabled or another URL was given meanwhile", async () => {
    const { dispatcher } = await openDispatcher(databases);
    const receiver = await openReceiver({ answer: echo });
    const input = { tenantId: TENANT, target: { url: receiver.url }, events: ["*"], verify: true };
    const made = await dispatcher.endpoints.create(input);
    const disabled = await dispatcher.endpoints.disable(made);
    expect(disabled).toMatchObject({ active: false, verification: "pending", disabledReason: null });
    // Another URL has to be verified too, and that does not end what the owner decided.
    const elsewhere = { target: { url: `${receiver.url}/elsewhere` } };
    expect(await dispatcher.endpoints.update(made, elsewhere)).toMatchObject({ disabledReason: null });
    expect(await dispatcher.endpoints.verify(made)).toMatchObject({
      verified: true,
      endpoint: { active: false, verification: "verified", disabledReason: null },
    });
    expect(await dispatcher.endpoints.enable(made)).toMatchObject({ active: true, verification: "verified" });
  });

  it("N3 sends the challenge through the address guard, and to the tenant's own webhooks only", async () => {
    const { dispatcher, another } = await openDispatcher(databases);
    const receiver = await openReceiver({ answer: echo });
    const target = { url: receiver.url };
    const made = await dispatcher.endpoints.create({ tenantId: TENANT, target, events: ["*"], verify: true });
    const strict = another({ addressGuard: { allowHttp: true } });
    expect(await strict.endpoints.verify(made)).toMatchObject({
      verified: false,
      attempt: { errorCode: "address_refused" },
    });
    expect(receiver.requests).toHaveLength(0);
    await expect(dispatcher.endpoints.verify({ ...made, tenantId: "other" })).rejects.toMatchObject({
      code: "endpoint_not_found",
    });
    dispatcher.use({ id: "note", plan: () => null });
    const note = { tenantId: TENANT, destination: "note", target: {}, events: ["*"] };
    await expect(dispatcher.endpoints.create({ ...note, verify: true })).rejects.toMatchObject({
      code: "invalid_endpoint",
      issues: [{ path: "verify" }],
    });
    const { id } = await dispatcher.endpoints.create(note);
    await expect(dispatcher.endpoints.verify({ tenantId: TENANT, id })).rejects.toMatchObject({
      code: "invalid_endpoint",
      issues: [{ path: "destination" }],
    });
  });

  it("W8 verifies over HTTP", async () => {
    const { call } = await openHttp(databases);
    const receiver = await openReceiver({ answer: echo });
    const body = { url: receiver.url, events: ["*"], verify: true };
    const { status, body: made } = await call("POST", "/v1/endpoints", { body });
    expect([status, made.active, made.verification]).toEqual([201, false, "pending"]);
    const early = await call("PATCH", `/v1/endpoints/${made.id}`, { body: { active: true } });
    expect(early).toMatchObject({ status: 409, body: { code: "endpoint_unverified" } });
    expect((await call("POST", `/v1/endpoints/${made.id}/verify`, { as: "theirs" })).status).toBe(404);
    expect(await call("POST", `/v1/endpoints/${made.id}/verify`)).toMatchObject({
      status: 200,
      body: { verified: true, endpoint: { active: true, verification: "verified" }, attempt: { status: 200 } },
    });
  });
});
