import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLine } from "../src/line.js";
import { createStatements } from "../src/sql/statements.js";
import { createVirtualClock } from "../src/testing.js";
import { openDispatcher, TENANT } from "./open-dispatcher.js";

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  const open = async () => {
    const clock = createVirtualClock();
    const { dispatcher, database, schema } = await openDispatcher(databases, { clock });
    const target = { url: "https://example.com/hook" };
    await dispatcher.endpoints.create({ tenantId: TENANT, target, events: ["*"] });
    const { query } = database;
    const line = createLine({ query, statements: createStatements(schema), clock, pollMs: 1_000, sweepMs: 15_000 });
    return {
      clock,
      line,
      /** Commits a delivery now that has been due for some time. */
      async commitLate(agoMs: number) {
        const { id } = await dispatcher.publish({ tenantId: TENANT, type: "a.b", data: {} });
        const dueAt = new Date(clock.now() - agoMs).toISOString();
        await query(`update ${schema}.queue set next_at = $2 where event_id = $1`, [id, dueAt]);
      },
      async claimed() {
        const nowMs = clock.now();
        const leasedUntil = new Date(nowMs + 60_000).toISOString();
        const claim = await line.claim({ nowMs, now: new Date(nowMs).toISOString(), leasedUntil, limit: 50 });
        return claim.rows.length;
      },
    };
  };

  it("begins a claim where the last one ended, and back as far as a commit says that it was stamped", async () => {
    const { line, commitLate, claimed } = await open();
    await commitLate(3_600_000);
    // The first look is at everything.
    expect(await claimed()).toBe(1);
    await commitLate(0);
    await commitLate(60_000);
    expect(await claimed()).toBe(1);
    line.lookBack(Date.UTC(2030, 0, 1) - 60_000);
    expect(await claimed()).toBe(1);
    await commitLate(3_600_000);
    expect(await claimed()).toBe(0);
    line.lookBack();
    expect(await claimed()).toBe(1);
  });

  it("finds what came in late without a word: some seconds late within a poll, any time late within a sweep", async () => {
    const { clock, commitLate, claimed } = await open();
    expect(await claimed()).toBe(0);
    await commitLate(5_000);
    await commitLate(3_600_000);
    expect(await claimed()).toBe(0);
    clock.advance(1_000);
    expect(await claimed()).toBe(1);
    clock.advance(1_000);
    expect(await claimed()).toBe(0);
    clock.advance(14_000);
    expect(await claimed()).toBe(1);
  });

  it("says when the next one is due within a time, and looks again at what a failed claim left", async () => {
    const { clock, line, commitLate, claimed } = await open();
    expect(await claimed()).toBe(0);
    await commitLate(-400);
    expect(await line.nextDueMs(300)).toBeNull();
    expect(await line.nextDueMs(1_000)).toBe(clock.now() + 400);
    await commitLate(3_600_000);
    line.lookBack();
    const bad = { nowMs: clock.now(), now: "never", leasedUntil: "never", limit: 50 };
    await expect(line.claim(bad)).rejects.toMatchObject({ code: "query_failed" });
    expect(await claimed()).toBe(1);
  });
});
