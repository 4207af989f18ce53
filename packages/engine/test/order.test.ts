import type { IngestInput } from "@hookline/core";

import fc from "fast-check";
import { expect, it } from "vitest";
import type { Engine } from "../src/index.js";
import { describeMatrix, openWorld } from "./support/world.js";

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

describeMatrix("the order of events", (databases) => {
  it("does not change the contacts, their properties or their timelines", async () => {
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
          ),
        ),
        async ([events, order]) => {
          const run = tenants++;
          const inputs = (tenantId: string): IngestInput[] =>
            events.map(({ identities, second, properties }, index) => ({
              tenantId,
              type: "page.viewed",
              timestamp: new Date(Date.UTC(2026, 2, 1, 0, 0, second)),
              idempotencyKey: `event-${index}`,
              identities,
              data: { index },
              contactProperties: properties,
            }));
          const [inOrder, shuffled, atOnce] = [`in-order-${run}`, `shuffled-${run}`, `at-once-${run}`];
          await engine.ingest(inputs(inOrder));
          // Each event twice: a second delivery changes nothing either.
          const mixed = inputs(shuffled);
          await engine.ingest([...order, ...order].map((index) => mixed[index] as IngestInput));
          await Promise.all(inputs(atOnce).map((one) => engine.ingest([one])));

          const expected = await picture(engine, inOrder);
          expect(await picture(engine, shuffled)).toEqual(expected);
          expect(await picture(engine, atOnce)).toEqual(expected);
        },
      ),
      { numRuns: 12 },
    );
  });
});
