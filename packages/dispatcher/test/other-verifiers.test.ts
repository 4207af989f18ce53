import { describeMatrix } from "@hookline/postgres/testing";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ReceivedRequest } from "../src/testing.js";
import { openDispatcher, openReceiver, subscribeReceiver, TENANT, until, untilDelivery } from "./open-dispatcher.js";

const EVENT = { tenantId: TENANT, type: "ticket.created", data: { number: 1, text: "Straße 😀" } };
const QUICK = { retrySchedule: { delaysMs: [5, 5], jitterRatio: 0 } };

const VERIFIERS = { svix: SvixWebhook, standardwebhooks: StandardWebhook };

/** What a verifier reads of a request, or null when it refuses it. */
function readBy(verifier: keyof typeof VERIFIERS, secret: string, { body, headers }: ReceivedRequest): unknown {
  try {
    return new VERIFIERS[verifier](secret).verify(body, headers);
  } catch {
    return null;
  }
}

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  for (const verifier of ["svix", "standardwebhooks"] as const) {
    for (const scheme of verifier === "svix" ? ["standard-webhooks", "svix"] : ["standard-webhooks"]) {
      it(`W4 E14 W8 ${verifier} verifies ${scheme} over HTTP, with either secret while they overlap`, async () => {
        const { dispatcher } = await openDispatcher(databases);
        await dispatcher.start();
        const receiver = await openReceiver();
        const target = { url: receiver.url, scheme };
        const created = await dispatcher.endpoints.create({ tenantId: TENANT, target, events: ["*"] });
        const first = created.secret ?? "";
        await dispatcher.publish(EVENT);
        const { secret: second } = await receiver
          .waitFor(1)
          .then(() => dispatcher.endpoints.rotateSecret({ tenantId: TENANT, id: created.id }));
        await dispatcher.publish(EVENT);
        await receiver.waitFor(2);
        const { secret: third } = await dispatcher.endpoints.rotateSecret({
          tenantId: TENANT,
          id: created.id,
          overlapMs: 0,
        });
        await dispatcher.publish(EVENT);
        const requests = await receiver.waitFor(3);

        const verdicts = requests.map((request) =>
          [first, second, third].map((secret) => readBy(verifier, secret, request) !== null),
        );
        expect(verdicts).toEqual([
          [true, false, false],
          [true, true, false],
          [false, false, true],
        ]);
        const [request] = requests;
        if (request === undefined) throw new Error("There was no request.");
        expect(readBy(verifier, first, request)).toMatchObject({ type: EVENT.type, data: EVENT.data });
        expect(readBy(verifier, first, { ...request, body: request.body.replace("1", "2") })).toBeNull();
      });
    }
  }

  it("E4 A7 W4 sends one id with every retry and replay, and svix and standardwebhooks verify each of them", async () => {
    const { dispatcher } = await openDispatcher(databases, QUICK);
    await dispatcher.start();
    const receiver = await openReceiver();
    receiver.answerWith(() => ({ status: receiver.requests.length < 3 ? 503 : 200 }));
    const { secret } = await subscribeReceiver(dispatcher, receiver);
    const { id } = await dispatcher.publish(EVENT);
    const delivered = await untilDelivery(dispatcher, ({ status }) => status === "delivered");
    expect(receiver.requests).toHaveLength(3);
    // Once more, though it was delivered.
    await dispatcher.deliveries.retry({ tenantId: TENANT, id: delivered.id });
    const requests = await receiver.waitFor(4);
    await until(async () => (await dispatcher.deliveries.get({ tenantId: TENANT, id: delivered.id }))?.attempts === 4);
    expect(requests.map(({ headers }) => headers["webhook-id"])).toEqual([id, id, id, id]);
    expect(new Set(requests.map(({ body }) => body)).size).toBe(1);
    for (const request of requests) {
      for (const verifier of ["svix", "standardwebhooks"] as const) {
        expect(readBy(verifier, secret ?? "", request)).toMatchObject({ type: EVENT.type, data: EVENT.data });
      }
    }
  });
});
