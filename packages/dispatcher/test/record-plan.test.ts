import type { SqlQuery } from "@hookline/core";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AttemptRow } from "../src/sql/record-attempts.js";
import { createStatements } from "../src/sql/statements.js";
import { openDispatcher } from "./open-dispatcher.js";

const attemptOf = (deliveryId: string, leaseNo: number, ending: AttemptRow["ending"] = "delivered"): AttemptRow => ({
  deliveryId,
  leaseNo,
  attempt: 1,
  startedAt: "2030-01-01T00:00:00.000Z",
  durationMs: 3,
  outcome: ending === null ? "retry" : "delivered",
  ending,
  status: ending === null ? 500 : 200,
  errorCode: null,
  reason: null,
  requestHeaders: null,
  responseBody: null,
  phases: null,
  nextAt: ending === null ? "2030-01-01T00:00:05.125Z" : null,
  entity: null,
  state: null,
});

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("N4 finds deliveries by their ids, though it was planned when the queue was empty", async () => {
    const { database, schema } = await openDispatcher(databases);
    const { recordAttempts } = createStatements(schema);
    // What a vacuum of an empty queue leaves behind.
    await database.query(`vacuum (analyze) ${schema}.queue`);
    // On one connection, which keeps a plan from the sixth time on.
    const plan = await database.transaction(async ({ query }) => {
      for (let time = 0; time < 8; time += 1) await recordAttempts(query, [attemptOf("none", 1)]);
      const [kept] = await query<{ name: string }>(
        "select name from pg_prepared_statements where generic_plans > 0 and position($1 in statement) > 0",
        [`insert into "${schema}".attempts`],
      );
      let row: unknown;
      const explain = async (_text: string, params: readonly unknown[] = []) => {
        const values = params.map((value) => (value === null ? "null" : `'${value}'`));
        [row] = await query(`explain (format json) execute "${kept?.name}" (${values.join(", ")})`);
        return [];
      };
      await recordAttempts(explain as SqlQuery, [attemptOf("none", 1)]);
      return JSON.stringify(row);
    });
    const nodes = [...plan.matchAll(/"Node Type":"(\w[^"]*)"[^{}]*?"Relation Name":"queue"[^{}]*/g)];
    const scans = nodes.filter(([, type]) => type !== "ModifyTable");
    expect(scans).toHaveLength(2);
    for (const [text] of scans) expect(text).toMatch(/"Index Cond":"\(id = ANY/);
  });

  it("N1 records the lease that holds, whichever others of the same delivery are in the batch", async () => {
    const { database, schema } = await openDispatcher(databases);
    const { recordAttempts } = createStatements(schema);
    await database.query(`
      insert into ${schema}.queue (id, tenant_id, state, leased, lease_no, next_at)
      select 'dlv_' || n, 'acme', 0, true, 2, now() from generate_series(1, 4) as n`);
    const recorded = await recordAttempts(database.query, [
      attemptOf("dlv_1", 1),
      attemptOf("dlv_1", 2),
      attemptOf("dlv_2", 2, null),
      attemptOf("dlv_2", 1),
      attemptOf("dlv_3", 1),
      attemptOf("dlv_3", 1, null),
      attemptOf("dlv_4", 1, null),
      attemptOf("dlv_4", 2),
      attemptOf("dlv_5", 1),
    ]);
    const shown = recorded.map(({ id, lease_no: lease, ended }) => `${id} ${lease} ${ended}`).sort();
    expect(shown).toEqual(["dlv_1 2 true", "dlv_2 2 false", "dlv_4 2 true"]);
    const left = await database.query(`select id, leased, attempt, next_at from ${schema}.queue order by id`);
    expect(left).toEqual([
      { id: "dlv_2", leased: false, attempt: 1, next_at: new Date("2030-01-01T00:00:05.125Z") },
      { id: "dlv_3", leased: true, attempt: 0, next_at: expect.any(Date) },
    ]);
    const attempts = await database.query(
      `select delivery_id as id, lease_no as lease from ${schema}.attempts order by 1`,
    );
    expect(attempts).toEqual([
      { id: "dlv_1", lease: 2 },
      { id: "dlv_2", lease: 2 },
      { id: "dlv_4", lease: 2 },
    ]);
  });
});
