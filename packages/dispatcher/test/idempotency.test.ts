import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { countRows, openDispatcher, openReceiver, subscribeReceiver, TENANT } from "./open-dispatcher.js";

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("A7 answers the first event for the same idempotency key, and stores nothing more", async () => {
    const opened = await openDispatcher(databases);
    const { dispatcher } = opened;
    await subscribeReceiver(dispatcher, await openReceiver());
    const event = { tenantId: TENANT, type: "a.b", data: { n: 1 }, idempotencyKey: "k" };
    const first = await dispatcher.publish(event);
    expect(first.duplicate).toBe(false);
    expect(await dispatcher.publish(event)).toEqual({ id: first.id, duplicate: true });
    const many = await dispatcher.publishMany([
      event,
      { ...event, idempotencyKey: "l" },
      { ...event, idempotencyKey: "l" },
    ]);
    expect(many.map(({ duplicate }) => duplicate)).toEqual([true, false, true]);
    expect(many[2]?.id).toBe(many[1]?.id);
    expect((await dispatcher.publish({ ...event, tenantId: "globex" })).duplicate).toBe(false);
    expect([await countRows(opened, "events"), await countRows(opened, "queue")]).toEqual([3, 2]);
  });

  it("stores one event when the same key is published many times at once", async () => {
    const opened = await openDispatcher(databases);
    const event = { tenantId: TENANT, type: "a.b", data: { n: 1 }, idempotencyKey: "k" };
    const answers = await Promise.all(Array.from({ length: 20 }, () => opened.dispatcher.publish(event)));
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(answers.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    expect(await countRows(opened, "events")).toBe(1);
  });

  it("A7 refuses the same idempotency key for another body or type, and leaves the batch unstored", async () => {
    const opened = await openDispatcher(databases);
    const { dispatcher } = opened;
    const event = { tenantId: TENANT, type: "a.b", data: { n: 1 }, idempotencyKey: "k" };
    await dispatcher.publish(event);
    const conflict = { name: "DispatcherError", code: "idempotency_conflict" };
    await expect(dispatcher.publish({ ...event, data: { n: 2 } })).rejects.toMatchObject(conflict);
    await expect(dispatcher.publish({ ...event, type: "a.c" })).rejects.toMatchObject(conflict);
    const batch = [
      { tenantId: TENANT, type: "a.b", data: 1 },
      { ...event, data: { n: 2 } },
    ];
    await expect(dispatcher.publishMany(batch)).rejects.toMatchObject(conflict);
    expect(await countRows(opened, "events")).toBe(1);
  });
});
