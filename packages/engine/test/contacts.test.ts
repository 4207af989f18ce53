import type { IngestInput, IngestResult } from "@hookline/core";
import type { Database, DatabaseTransaction } from "@hookline/postgres";
import fc from "fast-check";
import { expect, it } from "vitest";
import { createEngine, type Engine } from "../src/index.js";
import {
  describeMatrix,
  discordConnector,
  ENCRYPTION_KEY,
  fixedClock,
  openWorld,
  type World,
} from "./support/world.js";

const tenantId = "acme";
const discord = { kind: "discord", value: "80351110224678912" };
const email = { kind: "email", value: "jo@example.com" };
const external = { kind: "external", value: "42" };
const anonymous = { kind: "anonymous", value: "cookie-1" };

let keys = 0;
async function seen(
  world: World,
  {
    identities,
    at = 0,
    properties = {},
  }: {
    identities: { kind: string; value: string }[];
    at?: number;
    properties?: Record<string, unknown>;
  },
): Promise<{ contactId: string; eventId: string }> {
  const [result] = await world.engine.ingest([
    {
      tenantId,
      type: "page.viewed",
      timestamp: new Date(Date.UTC(2026, 2, 1) + at * 1000),
      idempotencyKey: `seen-${keys++}`,
      identities,
      data: {},
      contactProperties: properties,
    },
  ]);
  if (result?.status !== "stored") throw new Error(`was ${JSON.stringify(result)}`);
  return result;
}

const identity = fc.oneof(
  fc.constantFrom("1", "2", "3").map((value) => ({ kind: "discord", value })),
  fc.constantFrom("jo@example.com", "al@example.com").map((value) => ({ kind: "email", value })),
  fc.constantFrom("u1", "u2").map((value) => ({ kind: "external", value })),
);
const scalar = fc.constantFrom("a", "b", "c", null);
const observation = fc.record({
  identities: fc.uniqueArray(identity, { minLength: 1, maxLength: 3, selector: ({ kind, value }) => kind + value }),
  second: fc.integer({ min: 0, max: 3 }),
  properties: fc.record(
    {
      plan: scalar,
      discord: fc.record(
        { username: scalar, last_seen: fc.integer({ min: 0, max: 5 }).map((s) => new Date(s * 1000).toISOString()) },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  ),
});
type Observation = typeof observation extends fc.Arbitrary<infer Value> ? Value : never;

const toInput = (tenantId: string, { identities, second, properties }: Observation, index: number): IngestInput => ({
  tenantId,
  type: "page.viewed",
  timestamp: new Date(Date.UTC(2026, 2, 1, 0, 0, second)),
  idempotencyKey: `event-${index}`,
  identities,
  data: { index },
  contactProperties: properties,
});

const history = fc.array(observation, { minLength: 2, maxLength: 6 });

/** Who is who and what is known of each, without the ids, which depend on who came first. */
async function picture(engine: Engine, tenantId: string): Promise<unknown[]> {
  const { contacts } = await engine.contacts.list({ tenantId, limit: 200 });
  return Promise.all(
    contacts.map(async ({ id, identities, properties, firstSeenAt, lastSeenAt }) => {
      const timeline = await engine.contacts.timeline({ tenantId, contactId: id });
      const events = timeline?.events.map(({ data }) => (data as { index: number }).index).sort();
      return { identities, properties, firstSeenAt, lastSeenAt, events };
    }),
  ).then((all) => all.sort((a, b) => (JSON.stringify(a.identities) < JSON.stringify(b.identities) ? -1 : 1)));
}

describeMatrix("contacts", (databases) => {
  it("become one when their identities meet: the one with the email survives, the other's id keeps resolving", async () => {
    const world = await openWorld(databases);
    const { contacts } = world.engine;
    const member = await seen(world, { identities: [discord], at: 1, properties: { discord: { username: "nelly" } } });
    const user = await seen(world, { identities: [email], at: 2, properties: { plan: "pro" } });
    const both = await seen(world, { identities: [discord, email], at: 3 });

    expect(both.contactId).toBe(user.contactId);
    const contact = await contacts.get({ tenantId, contactId: member.contactId });
    expect(contact).toMatchObject({
      id: user.contactId,
      aliases: [member.contactId],
      identities: [discord, email],
      properties: { plan: "pro", discord: { username: "nelly" } },
      firstSeenAt: "2026-03-01T00:00:01.000Z",
      lastSeenAt: "2026-03-01T00:00:03.000Z",
    });
    expect(await contacts.findByIdentity({ tenantId, ...discord })).toEqual(contact);
    const timeline = await contacts.timeline({ tenantId, contactId: user.contactId });
    expect(timeline?.events.map(({ id }) => id)).toEqual([both.eventId, user.eventId, member.eventId]);
    expect(await contacts.timeline({ tenantId, contactId: member.contactId })).toEqual(timeline);
  });

  it("survive by external before email before the rest, then by age", async () => {
    const world = await openWorld(databases);
    const first = await seen(world, { identities: [anonymous] });
    const second = await seen(world, { identities: [discord] });
    expect((await seen(world, { identities: [discord, anonymous] })).contactId).toBe(first.contactId);
    const mailed = await seen(world, { identities: [email] });
    expect((await seen(world, { identities: [anonymous, email] })).contactId).toBe(mailed.contactId);
    const known = await seen(world, { identities: [external] });
    expect((await seen(world, { identities: [external, email] })).contactId).toBe(known.contactId);
    const contact = await world.engine.contacts.get({ tenantId, contactId: second.contactId });
    expect(contact?.id).toBe(known.contactId);
    expect([...(contact?.aliases ?? [])].sort()).toEqual(
      [first, second, mailed].map(({ contactId }) => contactId).sort(),
    );
  });

  it("H2 are updated when nothing but an identity was learned of them, and not when nothing was", async () => {
    const clock = fixedClock();
    const world = await openWorld(databases, { clock });
    const identities = [discord, email];
    const { contactId } = await seen(world, { identities: [discord] });
    const updatedAt = async () => (await world.engine.contacts.get({ tenantId, contactId }))?.updatedAt;
    clock.advance(1000);
    await seen(world, { identities });
    const learnedAt = new Date(clock.now()).toISOString();
    expect(await updatedAt()).toBe(learnedAt);
    clock.advance(1000);
    await seen(world, { identities });
    expect(await updatedAt()).toBe(learnedAt);
  });

  it("know an email in one spelling only", async () => {
    const world = await openWorld(databases);
    const { contactId } = await seen(world, { identities: [{ kind: "email", value: " Jo@Example.com" }] });
    expect((await seen(world, { identities: [email] })).contactId).toBe(contactId);
    const found = await world.engine.contacts.findByIdentity({ tenantId, kind: "email", value: "JO@EXAMPLE.COM" });
    expect(found?.identities).toEqual([email]);
  });

  it("H2 keep newer values when an older event arrives late, and last_seen is the newest observed time", async () => {
    const world = await openWorld(databases);
    const state = (username: string, lastSeen: string) => ({ discord: { username, last_seen: lastSeen } });
    await seen(world, { identities: [discord], at: 20, properties: state("new", "2026-03-01T00:00:20.000Z") });
    const { contactId } = await seen(world, {
      identities: [discord],
      at: 10,
      properties: { ...state("old", "2026-03-01T00:00:10.000Z"), plan: null, seat: "b" },
    });
    const contact = await world.engine.contacts.get({ tenantId, contactId });
    expect(contact?.properties).toEqual({
      discord: { username: "new", last_seen: "2026-03-01T00:00:20.000Z" },
      seat: "b",
    });
    expect(contact?.lastSeenAt).toBe("2026-03-01T00:00:20.000Z");
    expect(contact?.firstSeenAt).toBe("2026-03-01T00:00:10.000Z");
  });

  it("are listed newest first, page by page, without a gap or a repetition", async () => {
    const world = await openWorld(databases);
    for (let index = 0; index < 7; index++)
      await seen(world, { identities: [{ kind: "external", value: `u${index}` }] });
    const ids: string[] = [];
    let cursor: string | null | undefined;
    let pages = 0;
    do {
      const page = await world.engine.contacts.list({ tenantId, limit: 3, ...(cursor ? { cursor } : {}) });
      ids.push(...page.contacts.map(({ id }) => id));
      cursor = page.nextCursor;
      pages++;
    } while (cursor);
    expect(pages).toBe(3);
    expect(ids).toHaveLength(7);
    expect(ids).toEqual([...new Set(ids)].sort().reverse());
    await expect(world.engine.contacts.list({ tenantId, cursor: "%%" })).rejects.toMatchObject({
      code: "invalid_cursor",
    });
  });

  it("can be linked without an event, also inside the caller's transaction", async () => {
    const world = await openWorld(databases);
    const { engine, database } = world;
    const { contactId } = await seen(world, { identities: [discord] });
    await expect(
      database.transaction(async (transaction) => {
        await engine.identity.linkContact({ tenantId, identities: [discord, email] }, { transaction });
        throw new Error("rolled back");
      }),
    ).rejects.toThrow("rolled back");
    expect(await engine.contacts.findByIdentity({ tenantId, ...email })).toBeNull();

    const linked = await database.transaction((transaction) =>
      engine.identity.linkContact(
        { tenantId, identities: [discord, email], contactProperties: { discord: { username: "nelly" } } },
        { transaction },
      ),
    );
    expect(linked).toEqual({ contactId, mergedIds: [] });
    expect((await engine.contacts.findByIdentity({ tenantId, ...email }))?.properties).toEqual({
      discord: { username: "nelly" },
    });
    await expect(
      engine.identity.linkContact({ tenantId, identities: [{ kind: "email", value: "nobody" }] }),
    ).rejects.toMatchObject({ code: "invalid_email" });
  });
  it("H2 do not depend on the order of events, nor on how often, in which batches and how much at once they arrive", async () => {
    const { engine } = await openWorld(databases);
    let tenants = 0;
    await fc.assert(
      fc.asyncProperty(
        history.chain((events) =>
          fc.tuple(
            fc.constant(events),
            fc.shuffledSubarray(
              events.map((_, i) => i),
              { minLength: events.length },
            ),
            // Where one batch ends and the next begins.
            fc.array(fc.boolean(), { minLength: events.length * 2, maxLength: events.length * 2 }),
          ),
        ),
        async ([events, order, cuts]) => {
          const run = tenants++;
          const inputs = (tenantId: string): IngestInput[] =>
            events.map((event, index) => toInput(tenantId, event, index));
          const names = ["one-by-one", "in-order", "shuffled", "at-once", "batches-at-once"] as const;
          const [oneByOne, inOrder, shuffled, atOnce, batchesAtOnce] = names.map((name) => `${name}-${run}`) as [
            string,
            string,
            string,
            string,
            string,
          ];
          for (const one of inputs(oneByOne)) await engine.ingest([one]);
          await engine.ingest(inputs(inOrder));
          // Each event twice: a second delivery changes nothing either.
          const mixed = inputs(shuffled);
          const twice = [...order, ...order];
          await engine.ingest(twice.map((index) => mixed[index] as IngestInput));
          await Promise.all(inputs(atOnce).map((one) => engine.ingest([one])));
          const crossing = inputs(batchesAtOnce);
          const batches = twice.reduce<IngestInput[][]>(
            (all, index, place) => {
              if (cuts[place]) all.push([]);
              all.at(-1)?.push(crossing[index] as IngestInput);
              return all;
            },
            [[]],
          );
          await Promise.all([...batches, ...crossing.map((one) => [one])].map((batch) => engine.ingest(batch)));

          const expected = await picture(engine, oneByOne);
          expect(await picture(engine, inOrder)).toEqual(expected);
          expect(await picture(engine, shuffled)).toEqual(expected);
          expect(await picture(engine, atOnce)).toEqual(expected);
          expect(await picture(engine, batchesAtOnce)).toEqual(expected);
        },
      ),
      { numRuns: 12 },
    );
  });

  it("H2 do not depend on how the statements of events that arrive at once interleave", async () => {
    const { engine, database, schema, dispatcher } = await openWorld(databases);
    let step = async () => {};
    const stepping = createEngine({
      database: inSteps(database, () => step()),
      schema,
      outbox: dispatcher,
      eventLog: dispatcher.events,
      connectors: [discordConnector()],
      encryptionKey: ENCRYPTION_KEY,
    });
    let tenants = 0;
    await fc.assert(
      fc.asyncProperty(history, fc.scheduler(), async (events, scheduler) => {
        const run = tenants++;
        const inputs = (tenantId: string) => events.map((event, index) => toInput(tenantId, event, index));
        for (const one of inputs(`after-another-${run}`)) await engine.ingest([one]);
        // Which transaction makes its next statement is the scheduler's choice; each has a connection of its own.
        step = () => scheduler.schedule(Promise.resolve());
        await scheduler.waitFor(Promise.all(inputs(`interleaved-${run}`).map((one) => stepping.ingest([one]))));
        expect(await picture(engine, `interleaved-${run}`)).toEqual(await picture(engine, `after-another-${run}`));
      }),
      { numRuns: 15 },
    );
  });

  it("H2 a batch answers what its elements would answer one after the other", async () => {
    const { engine } = await openWorld(databases);
    let tenants = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(observation, fc.integer({ min: 0, max: 4 }), fc.boolean()), { minLength: 2, maxLength: 8 }),
        async (elements) => {
          const run = tenants++;
          const inputs = (tenantId: string): IngestInput[] =>
            elements.map(([{ identities, second, properties }, key, other]) => ({
              tenantId,
              type: "page.viewed",
              timestamp: new Date(Date.UTC(2026, 2, 1, 0, 0, second)),
              // The same key for another content, too.
              idempotencyKey: `event-${key}`,
              identities,
              data: { other },
              contactProperties: properties,
            }));
          const single: IngestResult[] = [];
          for (const one of inputs(`single-${run}`)) single.push(...(await engine.ingest([one])));
          const batched = await engine.ingest(inputs(`batched-${run}`));
          expect(await named(engine, `batched-${run}`, batched)).toEqual(await named(engine, `single-${run}`, single));
        },
      ),
      { numRuns: 25 },
    );
  });
});

/** A database of which each statement within a transaction waits for its turn. */
function inSteps(database: Database, turn: () => Promise<void>): Database {
  return {
    ...database,
    transaction: (fn) =>
      database.transaction((tx) => {
        const query: DatabaseTransaction["query"] = async (text, params) => {
          await turn();
          return tx.query(text, params);
        };
        return fn({ ...tx, query });
      }),
  };
}

/** Results with the identities of who they are about instead of ids, which are random. */
function named(engine: Engine, tenantId: string, results: readonly IngestResult[]): Promise<unknown[]> {
  const events = results.map((result) => (result.status === "rejected" ? null : result.eventId));
  return Promise.all(
    results.map(async (result) => {
      if (result.status === "rejected") return result.code;
      const contact = await engine.contacts.get({ tenantId, contactId: result.contactId });
      return { status: result.status, first: events.indexOf(result.eventId), identities: contact?.identities };
    }),
  );
}
