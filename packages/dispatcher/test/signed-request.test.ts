import { describeMatrix } from "@hookline/postgres/testing";
import { verify } from "@hookline/webhook-signing";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { schemeOf, type WebhookTarget } from "../src/destinations/webhook-target.js";
import { createVirtualClock, signedRequest } from "../src/testing.js";
import { openDispatcher, openReceiver, TENANT } from "./open-dispatcher.js";

const secret = `whsec_${Buffer.alloc(32, 5).toString("base64")}`;
const event = { type: "ticket.created", data: { title: "Grüße" } };

const TARGETS: readonly Omit<WebhookTarget, "url">[] = [
  { scheme: "standard-webhooks", headers: { "X-Team": "a" } },
  { scheme: "xtsystems", profile: "xtsystems" },
  { scheme: "ai-support", profile: "support" },
  { scheme: "stripe" },
];

describeMatrix({ describe, beforeAll, afterAll }, ["pglite"], (databases) => {
  it.each(TARGETS)("is the request that a dispatcher sends: $scheme", async (target) => {
    const clock = createVirtualClock();
    const { dispatcher } = await openDispatcher(databases, { clock });
    const receiver = await openReceiver();
    const { url } = receiver;
    await dispatcher.endpoints.create({ tenantId: TENANT, target: { url, ...target }, events: ["*"], secret });
    await dispatcher.start();
    const { id } = await dispatcher.publish({ tenantId: TENANT, ...event });
    const [sent] = await receiver.waitFor(1);
    const now = new Date(clock.now());
    const { headers, ...request } = signedRequest({ ...event, ...target, url, secret, id, tenantId: TENANT, now });
    expect(request).toEqual({ method: "POST", url, body: sent?.body });
    expect(sent?.headers).toMatchObject(headers);
    const scheme = schemeOf({ url, ...target });
    expect(verify(request.body, headers, { scheme, secrets: [secret], now }).body).toBeDefined();
  });
});

describe("a signed request", () => {
  it("needs no dispatcher, takes an id of its own, and is signed now", async () => {
    const receiver = await openReceiver({ secret });
    for (const request of [1, 2].map(() => signedRequest({ ...event, secret, url: receiver.url }))) {
      expect((await fetch(request.url, request)).status).toBe(200);
      expect(new Webhook(secret).verify(request.body, request.headers)).toMatchObject(event);
    }
    const requests = await receiver.waitFor(2);
    expect(requests.map(({ verified }) => verified)).toEqual([true, true]);
    expect(new Set(requests.map(({ headers }) => headers["webhook-id"])).size).toBe(2);
  });
});
