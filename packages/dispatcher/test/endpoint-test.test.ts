import { defineEvent } from "@hookline/core";
import { describeMatrix } from "@hookline/postgres/testing";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { openDispatcher, openReceiver, subscribeReceiver, TENANT, until } from "./open-dispatcher.js";

const ticketCreated = defineEvent({
  type: "ticket.created",
  schema: z.object({ number: z.string() }),
  description: "A ticket was opened.",
  example: { number: "TKT-2026-001" },
});

const titleMeasured = defineEvent({
  type: "title.measured",
  schema: z.object({ title: z.string().transform((title) => title.length) }),
  description: "How long a title is.",
  example: { title: 12 },
});

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("W7 sends webhook.test right now, to that endpoint alone, and answers with the attempt", async () => {
    // Not started: it goes past the queue.
    const { dispatcher } = await openDispatcher(databases);
    const [receiver, bystander] = [await openReceiver({ answer: () => ({ body: "thanks" }) }), await openReceiver()];
    const { id, secret } = await subscribeReceiver(dispatcher, receiver, ["ticket.*"]);
    await subscribeReceiver(dispatcher, bystander);
    const { attempt, eventId, deliveryId } = await dispatcher.endpoints.test({ tenantId: TENANT, id });
    expect(attempt).toMatchObject({ attempt: 1, outcome: "delivered", status: 200, responseBody: "thanks" });
    const [request] = receiver.requests;
    expect(new Webhook(secret ?? "").verify(request?.body ?? "", request?.headers ?? {})).toEqual({
      type: "webhook.test",
      timestamp: expect.stringMatching(/Z$/),
      data: { message: expect.any(String), timestamp: expect.stringMatching(/Z$/), webhook_id: id },
    });
    expect(request?.headers["webhook-id"]).toBe(eventId);
    expect(await dispatcher.deliveries.get({ tenantId: TENANT, id: deliveryId })).toMatchObject({
      status: "delivered",
      eventId,
      eventType: "webhook.test",
      endpointId: id,
      log: [attempt],
    });
    expect((await dispatcher.deliveries.list({ tenantId: TENANT })).deliveries).toHaveLength(1);
    expect(bystander.requests).toHaveLength(0);
  });

  it("W7 answers why a test failed, tries no second time, and leaves the endpoint as it is", async () => {
    const { dispatcher } = await openDispatcher(databases, { retrySchedule: { delaysMs: [1, 1] }, timeoutMs: 300 });
    await dispatcher.start();
    const receiver = await openReceiver({ answer: () => ({ status: 500, body: "oops" }) });
    const { id } = await subscribeReceiver(dispatcher, receiver);
    const endpoint = { tenantId: TENANT, id };
    const failed = await dispatcher.endpoints.test(endpoint);
    expect(failed.attempt).toMatchObject({
      outcome: "retry",
      status: 500,
      errorCode: "http_status",
      responseBody: "oops",
      nextAttemptAt: null,
    });
    receiver.answerWith({ status: 410 });
    expect((await dispatcher.endpoints.test(endpoint)).attempt).toMatchObject({ outcome: "retry", status: 410 });
    receiver.answerWith({ delayMs: 60_000 });
    expect((await dispatcher.endpoints.test(endpoint)).attempt).toMatchObject({ errorCode: "timeout", status: null });
    await receiver.close();
    expect((await dispatcher.endpoints.test(endpoint)).attempt).toMatchObject({ errorCode: "connection_refused" });
    expect(await dispatcher.endpoints.get(endpoint)).toMatchObject({ active: true });
    expect(receiver.requests).toHaveLength(3);
    const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT });
    expect(deliveries.map(({ status, attempts }) => [status, attempts])).toEqual([1, 2, 3, 4].map(() => ["dead", 1]));
  });

  it("W7 sends a test that failed again when it is retried by hand", async () => {
    const { dispatcher } = await openDispatcher(databases);
    const receiver = await openReceiver({ answer: () => ({ status: 500 }) });
    const { id } = await subscribeReceiver(dispatcher, receiver);
    const { deliveryId, eventId } = await dispatcher.endpoints.test({ tenantId: TENANT, id });
    receiver.answerWith({});
    await dispatcher.start();
    await dispatcher.deliveries.retry({ tenantId: TENANT, id: deliveryId });
    const requests = await receiver.waitFor(2);
    expect(requests.map(({ headers, verified }) => [headers["webhook-id"], verified])).toEqual([
      [eventId, true],
      [eventId, true],
    ]);
  });

  it("W7 sends the example of a catalogue type, and refuses a type that has none", async () => {
    const { dispatcher } = await openDispatcher(databases, { events: [ticketCreated] });
    const receiver = await openReceiver();
    const { id } = await subscribeReceiver(dispatcher, receiver);
    const { attempt } = await dispatcher.endpoints.test({ tenantId: TENANT, id, type: "ticket.created" });
    expect(attempt.outcome).toBe("delivered");
    expect(receiver.requests.map((request) => request.json())).toMatchObject([
      { type: "ticket.created", data: ticketCreated.example },
    ]);
    await expect(dispatcher.endpoints.test({ tenantId: TENANT, id, type: "ticket.closed" })).rejects.toMatchObject({
      code: "invalid_event",
      issues: [{ path: "type" }],
    });
    await expect(dispatcher.endpoints.test({ tenantId: "globex", id })).rejects.toMatchObject({
      code: "endpoint_not_found",
    });
    expect(receiver.requests).toHaveLength(1);
  });

  it("W7 sends an example as subscribers get it, though its schema would not take it again", async () => {
    const { dispatcher } = await openDispatcher(databases, { events: [titleMeasured] });
    const receiver = await openReceiver();
    const { id } = await subscribeReceiver(dispatcher, receiver);
    await dispatcher.endpoints.test({ tenantId: TENANT, id, type: "title.measured" });
    expect(receiver.requests.map((request) => request.json())).toMatchObject([{ data: { title: 12 } }]);
  });

  it("N4 holds what comes for a disabled endpoint, which can be tested, and sends it when it is enabled", async () => {
    const { dispatcher } = await openDispatcher(databases);
    await dispatcher.start();
    const receiver = await openReceiver();
    const { id } = await subscribeReceiver(dispatcher, receiver);
    const endpoint = { tenantId: TENANT, id };
    expect(await dispatcher.endpoints.disable(endpoint)).toMatchObject({ active: false, disabledAt: expect.any(Date) });
    const published = await dispatcher.publishMany([1, 2].map((data) => ({ tenantId: TENANT, type: "a.b", data })));
    const held = await dispatcher.deliveries.list({ tenantId: TENANT, status: "held" });
    expect(held.deliveries).toHaveLength(2);
    expect((await dispatcher.endpoints.test(endpoint)).attempt.outcome).toBe("delivered");
    expect(receiver.requests).toHaveLength(1);

    expect(await dispatcher.endpoints.enable(endpoint)).toMatchObject({ active: true, disabledAt: null });
    await until(() => receiver.requests.length === 3);
    const ids = receiver.requests.slice(1).map(({ headers }) => headers["webhook-id"]);
    expect(ids.sort()).toEqual(published.map((event) => event.id).sort());
    for (const change of [dispatcher.endpoints.enable, dispatcher.endpoints.disable]) {
      await expect(change({ tenantId: "globex", id })).rejects.toMatchObject({ code: "endpoint_not_found" });
    }
  });
});
