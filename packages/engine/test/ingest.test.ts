import type { IngestInput, Outbox } from "@hookline/core";

import { expect, it } from "vitest";
import { createEngine } from "../src/index.js";
import { counts, describeMatrix, ENCRYPTION_KEY, openWorld } from "./support/world.js";

const AT = new Date("2026-03-01T10:00:00.000Z");
let keys = 0;
const input = (over: Partial<IngestInput> = {}): IngestInput => ({
  tenantId: "acme",
  type: "discord.message_sent",
  timestamp: AT,
  idempotencyKey: `key-${keys++}`,
  identities: [{ kind: "discord", value: "80351110224678912" }],
  data: { channelId: "7" },
  ...over,
});

describeMatrix("ingest", (databases) => {
  it("makes contact and event together, and the event is on the contact's timeline", async () => {
    const { engine } = await openWorld(databases);
    const [result] = await engine.ingest([
      input({ contactProperties: { discord: { id: "80351110224678912", last_seen: AT.toISOString() } } }),
    ]);
    if (result?.status !== "stored") throw new Error(`was ${JSON.stringify(result)}`);

    const contact = await engine.contacts.get({ tenantId: "acme", contactId: result.contactId });
    expect(contact).toMatchObject({
      tenantId: "acme",
      identities: [{ kind: "discord", value: "80351110224678912" }],
      properties: { discord: { id: "80351110224678912", last_seen: AT.toISOString() } },
      aliases: [],
      firstSeenAt: AT.toISOString(),
      lastSeenAt: AT.toISOString(),
    });
    const timeline = await engine.contacts.timeline({ tenantId: "acme", contactId: result.contactId });
    expect(timeline?.events).toEqual([
      expect.objectContaining({
        id: result.eventId,
        type: "discord.message_sent",
        timestamp: AT.toISOString(),
        subjectId: result.contactId,
        data: { channelId: "7" },
      }),
    ]);
  });

  it("answers a second delivery as a duplicate that changes nothing", async () => {
    const world = await openWorld(databases);
    const { engine } = world;
    const once = input({ contactProperties: { plan: "free" } });
    const [first] = await engine.ingest([once]);
    const [second] = await engine.ingest([{ ...once, contactProperties: { plan: "pro", more: 1 } }]);
    if (first?.status !== "stored") throw new Error("not stored");
    expect(second).toEqual({ status: "duplicate", eventId: first.eventId, contactId: first.contactId });
    expect(await counts(world)).toEqual({ contacts: 1, identities: 1, aliases: 0, events: 1 });
    const contact = await engine.contacts.get({ tenantId: "acme", contactId: first.contactId });
    expect(contact?.properties).toEqual({ plan: "free" });
  });

  it("answers a duplicate within one batch, in order", async () => {
    const { engine } = await openWorld(databases);
    const once = input();
    const results = await engine.ingest([once, once, input()]);
    expect(results.map(({ status }) => status)).toEqual(["stored", "duplicate", "stored"]);
  });

  it("refuses a known key for somebody else and makes no contact of it", async () => {
    const world = await openWorld(databases);
    const { engine } = world;
    const once = input();
    const [, stranger] = await engine.ingest([once, { ...once, identities: [{ kind: "discord", value: "other" }] }]);
    expect(stranger).toMatchObject({ status: "rejected" });
    expect((await counts(world)).contacts).toBe(1);
  });

  it("still knows an event whose contact has been merged away since", async () => {
    const { engine } = await openWorld(databases);
    const once = input();
    await engine.ingest([once]);
    await engine.ingest([input({ identities: [{ kind: "email", value: "jo@example.com" }] })]);
    const { contactId } = await engine.identity.linkContact({
      tenantId: "acme",
      identities: [...once.identities, { kind: "email", value: "jo@example.com" }],
    });
    expect(await engine.ingest([once])).toEqual([expect.objectContaining({ status: "duplicate", contactId })]);
  });

  it("keeps tenants apart", async () => {
    const { engine } = await openWorld(databases);
    const results = await engine.ingest([input(), input({ tenantId: "globex" })]);
    const ids = results.map((result) => (result.status === "rejected" ? null : result.contactId));
    expect(new Set(ids).size).toBe(2);
    expect(await engine.contacts.get({ tenantId: "globex", contactId: ids[0] as string })).toBeNull();
    expect(await engine.contacts.timeline({ tenantId: "globex", contactId: ids[0] as string })).toBeNull();
  });

  it("rejects bad elements with a code each, and stores their neighbours", async () => {
    const world = await openWorld(databases);
    const { engine } = world;
    const bad: [Partial<Record<keyof IngestInput, unknown>>, string][] = [
      [{ type: "Not A Type" }, "invalid_event"],
      [{ timestamp: new Date(Number.NaN) }, "invalid_event"],
      [{ timestamp: "2026-03-01" }, "invalid_event"],
      [{ timestamp: new Date(Date.now() + 48 * 3600 * 1000) }, "invalid_event"],
      [{ tenantId: "" }, "invalid_event"],
      [{ idempotencyKey: "a\u0000b" }, "invalid_event"],
      [{ idempotencyKey: "k".repeat(513) }, "invalid_event"],
      [{ data: "text" }, "invalid_event"],
      [{ data: { text: "\u0000" } }, "invalid_event"],
      [{ data: { text: "\ud83d" } }, "invalid_event"],
      [{ data: { text: "x".repeat(300_000) } }, "invalid_event"],
      [{ identities: [] }, "invalid_identity"],
      [{ identities: [{ kind: "telegram", value: "1" }] }, "invalid_identity"],
      [{ identities: [{ kind: "discord", value: "" }] }, "invalid_identity"],
      [{ identities: [{ kind: "discord", value: "x".repeat(513) }] }, "invalid_identity"],
      [{ identities: [{ kind: "discord", value: 7 }] }, "invalid_identity"],
      [{ identities: [null] }, "invalid_identity"],
      [{ identities: [{ kind: "email", value: "not an address" }] }, "invalid_email"],
      [{ identities: [{ kind: "email", value: `${"a".repeat(250)}@example.com` }] }, "invalid_email"],
      [{ contactProperties: { discord: "flat" } }, "invalid_properties"],
      [{ contactProperties: { name: "\u0000" } }, "invalid_properties"],
      [{ contactProperties: { name: "x".repeat(40_000) } }, "invalid_properties"],
    ];
    const good = [input(), input()];
    const elements = [good[0], ...bad.map(([over]) => ({ ...input(), ...over })), null, good[1]] as IngestInput[];

    const results = await engine.ingest(elements);
    expect(results.map((result) => (result.status === "rejected" ? result.code : result.status))).toEqual([
      "stored",
      ...bad.map(([, code]) => code),
      "invalid_event",
      "stored",
    ]);
    expect(await counts(world)).toEqual({ contacts: 1, identities: 1, aliases: 0, events: 2 });
  });

  it("leaves nothing half written when the outbox fails, and throws", async () => {
    const world = await openWorld(databases);
    const { database, schema, dispatcher } = world;
    const failing = { ...dispatcher, publish: () => Promise.reject(new Error("outbox down")) } as unknown as Outbox;
    const engine = createEngine({
      database,
      schema,
      outbox: failing,
      eventLog: dispatcher.events,
      encryptionKey: ENCRYPTION_KEY,
    });
    await expect(engine.ingest([input({ identities: [{ kind: "external", value: "42" }] })])).rejects.toThrow(
      "outbox down",
    );
    expect(await counts(world)).toEqual({ contacts: 0, identities: 0, aliases: 0, events: 0 });
  });

  it("rejects an element that the outbox refuses for what it is, and goes on", async () => {
    const { engine } = await openWorld(databases, {
      events: [
        {
          type: "ticket.created",
          description: "A ticket",
          example: { number: "1" },
          schema: {
            "~standard": {
              version: 1,
              vendor: "test",
              validate: (value) =>
                typeof (value as { number?: unknown }).number === "string"
                  ? { value }
                  : { issues: [{ message: "number is a text", path: ["number"] }] },
            },
          },
        },
      ],
    });
    const results = await engine.ingest([input({ type: "ticket.created", data: { number: 7 } }), input()]);
    expect(results).toEqual([
      expect.objectContaining({ status: "rejected", code: "invalid_event" }),
      expect.objectContaining({ status: "stored" }),
    ]);
  });

  it("makes one contact when many meet it for the first time at once", async () => {
    const world = await openWorld(databases);
    const { engine } = world;
    const batches = Array.from({ length: 12 }, () => [
      input({
        identities: [
          { kind: "discord", value: "1" },
          { kind: "email", value: "jo@example.com" },
        ],
      }),
      input({ identities: [{ kind: "email", value: "JO@example.com" }] }),
    ]);
    const results = (await Promise.all(batches.map((batch) => engine.ingest(batch)))).flat();
    expect(results.map(({ status }) => status)).toEqual(results.map(() => "stored"));
    expect(await counts(world)).toEqual({ contacts: 1, identities: 2, aliases: 0, events: 24 });
  });

  it("ends in one contact when merges of the same people cross each other", async () => {
    const world = await openWorld(databases);
    const { engine } = world;
    const people = Array.from({ length: 6 }, (_, index) => ({ kind: "discord", value: String(index) }));
    await engine.ingest(people.map((person) => input({ identities: [person] })));
    const pairs = people.flatMap((a, i) => people.slice(i + 1).map((b) => (i % 2 ? [a, b] : [b, a])));
    const results = await Promise.all(pairs.map((identities) => engine.ingest([input({ identities })])));
    expect(results.flat().map(({ status }) => status)).toEqual(pairs.map(() => "stored"));
    expect(await counts(world)).toEqual({ contacts: 1, identities: 6, aliases: 5, events: 6 + pairs.length });
  });

  it("refuses work once it is closed, after finishing what it accepted", async () => {
    const world = await openWorld(databases);
    const { engine } = world;
    const accepted = engine.ingest([input(), input()]);
    await engine.close();
    expect((await counts(world)).events).toBe(2);
    await accepted;
    await expect(engine.ingest([input()])).rejects.toMatchObject({ name: "EngineError", code: "closed" });
  });
});
