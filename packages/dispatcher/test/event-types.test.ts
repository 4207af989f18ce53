import { defineEvent } from "@hookline/core";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { createDispatcher, type Dispatcher } from "../src/index.js";
import { ENCRYPTION_KEY, openDispatcher, TENANT } from "./open-dispatcher.js";
import { openHttp } from "./open-http.js";

const ticketCreated = defineEvent({
  type: "ticket.created",
  schema: z.object({ number: z.string(), priority: z.number().int().default(1) }),
  description: "A ticket was opened.",
  example: { number: "TKT-2026-001", priority: 1 },
});
const ticketAged = defineEvent({
  type: "ticket.aged",
  schema: z.object({ days: z.string().transform(Number) }),
  description: "A ticket is old.",
  example: { days: 3 },
});
const foreign = defineEvent({
  type: "foreign.event",
  schema: { "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value }) } },
  description: "Its schema says nothing of itself.",
  example: {},
});

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("W6 lists the catalogue with JSON Schema and examples", async () => {
    const { dispatcher, logged } = await openDispatcher(databases, { events: [ticketCreated, ticketAged, foreign] });
    expect(dispatcher.eventTypes.list()).toEqual([
      {
        type: "ticket.created",
        description: "A ticket was opened.",
        schema: expect.objectContaining({
          $schema: "https://json-schema.org/draft/2020-12/schema",
          type: "object",
          properties: { number: { type: "string" }, priority: expect.objectContaining({ type: "integer" }) },
          required: ["number", "priority"],
        }),
        example: ticketCreated.example,
      },
      // What a transformation makes cannot be said.
      { type: "ticket.aged", description: "A ticket is old.", schema: null, example: ticketAged.example },
      { type: "foreign.event", description: foreign.description, schema: null, example: {} },
    ]);
    expect(logged).toMatchObject([{ level: "warn", fields: { type: "ticket.aged" } }]);
  });

  it("W6 shows the catalogue over HTTP, to callers with credentials only", async () => {
    const { call, routes } = await openHttp(databases, { events: [ticketCreated] });
    expect(await call("GET", "/v1/event-types")).toMatchObject({
      status: 200,
      body: {
        eventTypes: [{ type: "ticket.created", schema: { type: "object" }, example: { number: "TKT-2026-001" } }],
      },
    });
    expect((await call("GET", "/v1/event-types", { as: "nobody" })).status).toBe(401);
    const document = routes.getOpenAPIDocument({ openapi: "3.0.0", info: { title: "t", version: "1" } });
    expect(Object.keys(document.paths ?? {})).toContain("/v1/event-types");
  });

  it("refuses wrong data of a known type when they are compiled, and when they come, at the field's path", async () => {
    const { database, schema } = await databases.open();
    const events = [ticketCreated, ticketAged] as const;
    const dispatcher = createDispatcher({ database, schema, encryptionKey: ENCRYPTION_KEY, events });
    await dispatcher.migrate();
    const event = { tenantId: TENANT, type: "ticket.created" } as const;
    await dispatcher.publish({ ...event, data: { number: "1" } });
    await dispatcher.publish({ ...event, data: { number: "1", priority: 2 } });
    await dispatcher.publish({ tenantId: TENANT, type: "ticket.aged", data: { days: "3" } });
    // A type that the catalogue does not have, and one that is known only when it runs, take any data.
    await dispatcher.publish({ tenantId: TENANT, type: "other.type", data: { any: ["thing"] } });
    const type: string = "other.type";
    await dispatcher.publish({ tenantId: TENANT, type, data: 7 });
    await expect(
      // @ts-expect-error number is a text
      dispatcher.publish({ ...event, data: { number: 1 } }),
    ).rejects.toMatchObject({ code: "invalid_event", issues: [{ path: "data.number" }] });
    await expect(
      // @ts-expect-error number is missing
      dispatcher.publish({ ...event, data: {} }),
    ).rejects.toMatchObject({ code: "invalid_event", issues: [{ path: "data.number" }] });
    await expect(
      // @ts-expect-error what goes in is a text, although a number comes out
      dispatcher.publish({ tenantId: TENANT, type: "ticket.aged", data: { days: 3 } }),
    ).rejects.toMatchObject({ code: "invalid_event", issues: [{ path: "data.days" }] });
    const good = { ...event, data: { number: "1" } };
    const aged = { tenantId: TENANT, type: "ticket.aged", data: { days: "3" } } as const;
    const several = [good, aged, { tenantId: TENANT, type: "other.type", data: 7 }] as const;
    for (const publish of [dispatcher.publishMany, dispatcher.publishEach] as const) {
      expect(await publish(several)).toHaveLength(3);
      expect(await publish([1, 2].map((days) => ({ ...aged, data: { days: String(days) } })))).toHaveLength(2);
      expect(await publish(["a.b", "c.d"].map((type) => ({ tenantId: TENANT, type, data: {} })))).toHaveLength(2);
      expect(await publish([])).toEqual([]);
    }
    await expect(
      // @ts-expect-error number is a text
      dispatcher.publishMany([aged, { ...event, data: { number: 1 } }]),
    ).rejects.toMatchObject({ code: "invalid_event", issues: [{ path: "data.number" }] });
    expect(
      // @ts-expect-error days are a text
      await dispatcher.publishEach([good, { tenantId: TENANT, type: "ticket.aged", data: { days: 3 } }]),
    ).toMatchObject([{ status: "published" }, { status: "refused", code: "invalid_event" }]);
    expectTypeOf(dispatcher).toExtend<Dispatcher>();
  });
});
