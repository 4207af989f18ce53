import type { Identity, IngestInput, Outbox, Transaction } from "@hookline/core";
import type { Database } from "@hookline/postgres";

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

/** Arrays within arrays. */
function nested(levels: number): unknown {
  let value: unknown = [];
  for (let level = 1; level < levels; level++) value = [value];
  return value;
}

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
      [{ timestamp: new Date("-000001-01-01T00:00:00.000Z") }, "invalid_event"],
      [{ timestamp: new Date(Date.now() + 48 * 3600 * 1000) }, "invalid_event"],
      [{ tenantId: "" }, "invalid_event"],
      [{ idempotencyKey: "a\u0000b" }, "invalid_event"],
      [{ idempotencyKey: "k".repeat(513) }, "invalid_event"],
      [{ data: "text" }, "invalid_event"],
      [{ data: { text: "\u0000" } }, "invalid_event"],
      [{ data: { text: "\ud83d" } }, "invalid_event"],
      [{ data: { text: "x".repeat(300_000) } }, "invalid_event"],
      [{ data: { deep: nested(20_000) } }, "invalid_event"],
      [{ contactProperties: { deep: nested(1_000) } }, "invalid_properties"],
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
    const failing = { ...dispatcher, publishEach: () => Promise.reject(new Error("outbox down")) } as unknown as Outbox;
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

  it("stores nothing of a transaction whose `before` throws, and asks it in each", async () => {
    const world = await openWorld(databases);
    const fenced = new Error("fenced");
    let asked = 0;
    const before = async (transaction: Transaction) => {
      await transaction.query("select 1");
      asked += 1;
      if (asked === 2) throw fenced;
    };
    const batch = Array.from({ length: 201 }, () => input());
    await expect(world.engine.ingest(batch, { before })).rejects.toBe(fenced);
    expect((await counts(world)).events).toBe(200);
    expect((await world.engine.ingest(batch.slice(200), { before })).map(({ status }) => status)).toEqual(["stored"]);
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

  it("takes as many statements for a batch of 200 as for one of 2, new or known, with a bad element or without", async () => {
    const { database, schema, dispatcher } = await openWorld(databases);
    let statements = 0;
    const counted: Database = {
      ...database,
      transaction: (fn) =>
        database.transaction((tx) =>
          fn({
            ...tx,
            query(text, params) {
              statements++;
              return tx.query(text, params);
            },
          }),
        ),
    };
    const engine = createEngine({
      database: counted,
      schema,
      outbox: dispatcher,
      eventLog: dispatcher.events,
      encryptionKey: ENCRYPTION_KEY,
    });
    const count = async (batch: readonly IngestInput[], status: string) => {
      statements = 0;
      const results = await engine.ingest(batch);
      expect(new Set(results.map((result) => result.status))).toEqual(new Set(status.split(" ")));
      return statements;
    };
    const people = (size: number, name: string) =>
      Array.from({ length: size }, (_, index) =>
        input({ identities: [{ kind: "external", value: `${name}-${index}` }], contactProperties: { plan: "free" } }),
      );
    const again = (batch: readonly IngestInput[], over: Partial<IngestInput> = {}) =>
      batch.map((one) => ({ ...one, idempotencyKey: `${one.idempotencyKey}-again`, ...over }));
    const mails = (batch: readonly IngestInput[]) =>
      batch.map((one, index) =>
        input({
          identities: [...one.identities, { kind: "anonymous", value: `${one.identities[0]?.value}-${index}` }],
        }),
      );
    const costs = async (size: number) => {
      const batch = people(size, `of-${size}`);
      return {
        first: await count(batch, "stored"),
        known: await count(again(batch, { contactProperties: { plan: "pro" } }), "stored"),
        unchanged: await count(again(again(batch)), "stored"),
        more: await count(mails(batch), "stored"),
        duplicates: await count(batch, "duplicate"),
        conflicts: await count(
          batch.map((one) => ({ ...one, data: { changed: true } })),
          "rejected",
        ),
      };
    };
    const few = await costs(2);
    expect(await costs(200)).toEqual(few);
    expect(Math.max(...Object.values(few))).toBeLessThanOrEqual(9);
    expect(few).toMatchObject({ known: 3, unchanged: 2 });
  });

  it("takes more than 200 elements at once, in order", async () => {
    const world = await openWorld(databases);
    const batch = Array.from({ length: 450 }, (_, index) =>
      input({ identities: [{ kind: "external", value: `user-${index % 300}` }], data: { index } }),
    );
    const results = await world.engine.ingest([...batch, batch[449] as IngestInput]);
    expect(results.map(({ status }) => status)).toEqual([...batch.map(() => "stored"), "duplicate"]);
    expect(await counts(world)).toEqual({ contacts: 300, identities: 300, aliases: 0, events: 450 });
  });

  it("refuses an event of a batch that the outbox does not take, also when it would have joined two people", async () => {
    const world = await openWorld(databases);
    const [jo, al] = ["jo", "al"].map((value) => ({ kind: "external", value })) as [Identity, Identity];
    const known = input({ identities: [jo] });
    await world.engine.ingest([known]);
    const results = await world.engine.ingest([
      input({ identities: [al] }),
      { ...known, identities: [jo, al], data: { changed: true } },
      input({ identities: [jo] }),
    ]);
    expect(results.map((result) => (result.status === "rejected" ? result.code : result.status))).toEqual([
      "stored",
      "idempotency_conflict",
      "stored",
    ]);
    expect(await counts(world)).toEqual({ contacts: 2, identities: 2, aliases: 0, events: 3 });
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
