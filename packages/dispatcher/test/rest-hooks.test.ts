import { defineEvent } from "@hookline/core";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { openReceiver, TENANT, until } from "./open-dispatcher.js";
import { openHttp } from "./open-http.js";

const ticketCreated = defineEvent({
  type: "ticket.created",
  schema: z.object({ title: z.string() }),
  description: "A ticket was opened.",
  example: { title: "Cannot sign in" },
});

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  const open = () => openHttp(databases, { events: [ticketCreated], retrySchedule: { delaysMs: [1] } });
  const publish = ({ dispatcher }: Awaited<ReturnType<typeof open>>, title: string) =>
    dispatcher.publish({ tenantId: TENANT, type: "ticket.created", data: { title } });

  it("A8 subscribes, delivers in the form of the samples, and unsubscribes", async () => {
    const opened = await open();
    const { dispatcher, call } = opened;
    await dispatcher.start();
    const receiver = await openReceiver();
    const samples = "/v1/rest-hooks/samples?event=ticket.created";
    expect((await call("GET", samples)).body).toEqual([
      { id: "evt_sample", type: "ticket.created", timestamp: expect.any(String), data: { title: "Cannot sign in" } },
    ]);
    const subscription = { hookUrl: receiver.url, event: "ticket.created" };
    const made = await call("POST", "/v1/rest-hooks", { body: subscription });
    expect(made).toEqual({ status: 201, body: { id: expect.any(String), event: "ticket.created" } });
    // A call that is made again because its answer was lost triggers no Zap twice.
    expect(await call("POST", "/v1/rest-hooks", { body: subscription })).toEqual(made);

    const { id } = await publish(opened, 'Say "hello" \\ {{ data }}');
    const [request] = await receiver.waitFor(1);
    expect(request?.json()).toMatchObject({ id, type: "ticket.created", data: { title: 'Say "hello" \\ {{ data }}' } });
    expect((await call("GET", samples)).body).toEqual([request?.json()]);

    expect((await call("DELETE", `/v1/rest-hooks/${made.body.id}`, { as: "theirs" })).status).toBe(404);
    expect(await call("DELETE", `/v1/rest-hooks/${made.body.id}`)).toEqual({ status: 200, body: made.body });
    expect((await call("DELETE", `/v1/rest-hooks/${made.body.id}`)).status).toBe(404);
    await publish(opened, "Later");
    expect((await dispatcher.deliveries.list({ tenantId: TENANT })).deliveries).toHaveLength(1);
  });

  it("A8 a 410 ends the subscription, and what waits for it ends as dead", async () => {
    const opened = await open();
    const { dispatcher, call } = opened;
    const receiver = await openReceiver({ answer: () => ({ status: 410 }) });
    const { body: hook } = await call("POST", "/v1/rest-hooks", {
      body: { target_url: receiver.url, event: "ticket.*" },
    });
    await publish(opened, "One");
    await publish(opened, "Two");
    await dispatcher.start();
    await until(async () => (await dispatcher.endpoints.get({ tenantId: TENANT, id: hook.id })) === null);
    await publish(opened, "Three");
    await until(async () => {
      const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT });
      return deliveries.length === 2 && deliveries.every(({ status }) => status === "dead");
    });
    expect((await call("DELETE", `/v1/rest-hooks/${hook.id}`)).status).toBe(404);
    const { events } = await dispatcher.events.list({ tenantId: TENANT, type: "endpoint.disabled" });
    expect(events).toMatchObject([{ data: { endpointId: hook.id, cause: "gone", lastStatus: 410 } }]);
    // Switched on anew it is another subscription.
    const again = await call("POST", "/v1/rest-hooks", { body: { hookUrl: receiver.url, event: "ticket.*" } });
    expect(again).toMatchObject({ status: 201, body: { id: expect.not.stringMatching(hook.id) } });
  });

  it("A8 subscribes again what was disabled meanwhile", async () => {
    const { dispatcher, call } = await open();
    const body = { hookUrl: "https://hooks.example.com/1", event: "ticket.created" };
    const { body: hook } = await call("POST", "/v1/rest-hooks", { body });
    await dispatcher.endpoints.disable({ tenantId: TENANT, id: hook.id });
    expect((await call("POST", "/v1/rest-hooks", { body })).body).toEqual(hook);
    expect(await dispatcher.endpoints.get({ tenantId: TENANT, id: hook.id })).toMatchObject({ active: true });
  });

  it("A8 asks no challenge of a subscription where other endpoints have to be verified, whatever these say", async () => {
    const { dispatcher, call } = await openHttp(databases, { verifyEndpoints: true });
    const body = { hookUrl: "https://hooks.example.com/1", event: "ticket.created" };
    const { body: hook } = await call("POST", "/v1/rest-hooks", { body });
    const made = await dispatcher.endpoints.get({ tenantId: TENANT, id: hook.id });
    expect(made).toMatchObject({ active: true, verification: "none" });
    const other = { url: "https://example.com/hook", events: ["*"], verify: false };
    expect(await call("POST", "/v1/endpoints", { body: other })).toMatchObject({
      status: 201,
      body: { active: false, verification: "pending" },
    });
  });

  it("A8 N3 refuses what is no subscription, and sends nothing to addresses that are not public", async () => {
    const addressGuard = { resolve: async () => [{ address: "127.0.0.1", family: 4 as const }] };
    const { dispatcher, call } = await openHttp(databases, { addressGuard, retrySchedule: { delaysMs: [1] } });
    await dispatcher.start();
    const good = { hookUrl: "https://hook.example/hook", event: "ticket.created" };
    const refused: [object, string][] = [
      [{ event: "ticket.created" }, "/body/hookUrl"],
      [{ ...good, hookUrl: "nowhere" }, "/body/hookUrl"],
      [{ hookUrl: good.hookUrl }, "/body/event"],
      [{ ...good, event: "not a type" }, "/body/event"],
      [{ ...good, hookUrl: "http://example.com/hook" }, "/body/hookUrl"],
      [{ event: good.event, target_url: "http://example.com/hook" }, "/body/target_url"],
      [{ ...good, hookUrl: "https://127.0.0.1/hook" }, "/body/hookUrl"],
    ];
    for (const [body, pointer] of refused) {
      expect(await call("POST", "/v1/rest-hooks", { body })).toMatchObject({
        status: 400,
        body: { code: expect.any(String), errors: [{ pointer }] },
      });
    }
    expect((await call("POST", "/v1/rest-hooks", { body: good, as: "nobody" })).status).toBe(401);
    expect((await call("GET", "/v1/rest-hooks/samples?event=ticket.created", { as: "nobody" })).status).toBe(401);
    expect((await call("GET", "/v1/rest-hooks/samples?event=ticket.created")).body).toEqual([]);
    expect((await call("GET", "/v1/rest-hooks/samples?event=ticket%00")).status).toBe(400);
    expect((await call("POST", "/v1/rest-hooks", { body: good })).status).toBe(201);
    await dispatcher.publish({ tenantId: TENANT, type: "ticket.created", data: {} });
    const dead = await until(async () => {
      const [delivery] = (await dispatcher.deliveries.log({ tenantId: TENANT })).deliveries;
      return delivery?.status === "dead" && delivery;
    });
    expect(dead.lastAttempt).toMatchObject({ errorCode: "address_refused" });
  });

  it("A8 an endpoint that was made otherwise is no REST hook", async () => {
    const { dispatcher, call } = await open();
    const target = { url: "https://example.com/hook" };
    const { id } = await dispatcher.endpoints.create({ tenantId: TENANT, target, events: ["*"] });
    expect((await call("DELETE", `/v1/rest-hooks/${id}`)).status).toBe(404);
    expect(await dispatcher.endpoints.get({ tenantId: TENANT, id })).not.toBeNull();
  });
});
