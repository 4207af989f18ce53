import { type SqlQuery, systemClock } from "@hookline/core";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOutsideSweep } from "../src/outside-sweep.js";
import { createStatements } from "../src/sql/statements.js";
import { createVirtualClock } from "../src/testing.js";
import { openDispatcher, TENANT, until } from "./open-dispatcher.js";

interface PlanNode {
  readonly "Relation Name"?: string;
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly Plans?: readonly PlanNode[];
}

/** How many rows of a table a plan has looked at. */
function rowsRead(node: PlanNode, table: string): number {
  const own = node["Relation Name"] === table ? node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0) : 0;
  const below = (node.Plans ?? []).map((plan) => rowsRead(plan, table));
  return below.reduce((sum, rows) => sum + rows, own * node["Actual Loops"]);
}

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("answers the deletion of an endpoint after 500 of what is held for it, and ends the rest in workers by and by", async () => {
    const clock = createVirtualClock();
    const { dispatcher, database, schema, another } = await openDispatcher(databases, { clock });
    const target = { url: "https://example.com/hook" };
    const endpoint = await dispatcher.endpoints.create({ tenantId: TENANT, target, events: ["*"], active: false });
    const { id: eventId } = await dispatcher.publish({ tenantId: TENANT, type: "a.b", data: {} });
    await database.query(
      `insert into ${schema}.queue (id, event_id, endpoint_id, tenant_id, state, leased, lease_no, next_at)
       select 'dlv_' || n, $1::text, $2::text, $3::text, 1, false, 1, now() from generate_series(1, 3199) n`,
      [eventId, endpoint.id, TENANT],
    );
    expect(await dispatcher.endpoints.delete(endpoint)).toBe(true);
    expect((await dispatcher.health()).queue).toMatchObject({ due: 500, held: 2_700 });
    await another().start();
    const inLineOrEnded = async () => 3_200 - ((await dispatcher.health()).queue?.held ?? 0);
    // The sweep at its start moves the first thousand of the rest, and a timer each second another one.
    for (const moved of [1_500, 2_500, 3_200]) {
      await until(async () => (await inLineOrEnded()) >= moved);
      expect(await inLineOrEnded()).toBe(moved);
      clock.advance(1_000);
    }
    await until(async () => {
      clock.advance(100);
      return (await database.query(`select from ${schema}.queue limit 1`)).length === 0;
    });
  });

  it("finds what is held for nobody without a look at all that is held for somebody", async () => {
    const { dispatcher, database, schema } = await openDispatcher(databases);
    const target = { url: "https://example.com/hook" };
    const known = { tenantId: TENANT, target, events: ["*"], active: false };
    const endpoints = [await dispatcher.endpoints.create(known), await dispatcher.endpoints.create(known)];
    const hold = (endpointId: string, count: number) =>
      database.query(
        `insert into ${schema}.queue (id, endpoint_id, tenant_id, state, leased, lease_no, next_at)
         select $1::text || n, $1::text, $2::text, 1, false, 1, now() from generate_series(1, $3::integer) n`,
        [endpointId, TENANT, count],
      );
    for (const { id } of endpoints) await hold(id, 5_000);
    await hold("ep_gone", 3);
    await hold("zz_gone", 2);
    await database.query(`analyze ${schema}.queue`);

    const now = new Date().toISOString();
    const plans: PlanNode[] = [];
    const explaining: SqlQuery = async (text, params = []) => {
      const written = params.reduce<string>((sql, param, index) => sql.replaceAll(`$${index + 1}`, `'${param}'`), text);
      const explained = `explain (analyze, format json) ${written}`;
      const rows = await database.query<{ "QUERY PLAN": readonly { readonly Plan: PlanNode }[] }>(explained);
      for (const {
        "QUERY PLAN": [plan],
      } of rows)
        if (plan !== undefined) plans.push(plan.Plan);
      return [];
    };
    const statements = createStatements(schema);
    const { gone } = await createOutsideSweep({ query: database.query, statements, clock: systemClock })();
    expect(gone).toEqual(["ep_gone", "zz_gone"]);
    await statements.findSetAside(explaining, { now, after: "", limit: 1_000 });
    await statements.unholdOrphans(explaining, gone, now);
    expect(plans).toHaveLength(2);
    for (const plan of plans) expect(rowsRead(plan, "queue")).toBeLessThan(100);
    const inLine = await database.query(
      `select endpoint_id as id, count(*)::integer as count from ${schema}.queue where state = 0
       group by 1 order by 1`,
    );
    expect(inLine).toEqual([
      { id: "ep_gone", count: 3 },
      { id: "zz_gone", count: 2 },
    ]);
  });
});
