import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOutsideSweep } from "../src/outside-sweep.js";
import { createStatements } from "../src/sql/statements.js";
import { createVirtualClock } from "../src/testing.js";
import { openDispatcher, openWaitingReceiver, TENANT, until } from "./open-dispatcher.js";

const EVENT = { tenantId: TENANT, type: "ticket.created", data: { number: 1 } };

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("N5 goes through all endpoints with deliveries outside the line, sweep by sweep", async () => {
    const clock = createVirtualClock();
    const { dispatcher, database, schema } = await openDispatcher(databases, { clock });
    const make = async () =>
      (await dispatcher.endpoints.create({ tenantId: TENANT, target: { url: "http://127.0.0.1:9" }, events: ["*"] }))
        .id;
    const ids = [await make(), await make(), await make(), await make(), await make()].sort();
    await dispatcher.publish(EVENT);
    await database.query(`update ${schema}.queue set state = 2`);
    await database.query(`update ${schema}.endpoints set active = false where id in ('${ids[0]}', '${ids[1]}')`);
    const statements = createStatements(schema);
    const next = createOutsideSweep({ query: database.query, statements, clock, limit: 2 });
    await database.query(`delete from ${schema}.endpoints where id = $1`, [ids[3]]);
    expect([await next(), await next(), await next(), await next()]).toEqual([
      { due: [], gone: [] },
      { due: ids.slice(2, 3), gone: ids.slice(3, 4) },
      { due: ids.slice(4), gone: [] },
      { due: [], gone: [] },
    ]);
  });

  it("N1 begins no attempt whose lease would end within five seconds of its time limit", async () => {
    const clock = createVirtualClock();
    const limits = { timeoutMs: 30_000, leaseMs: 60_000, maxInFlightPerEndpoint: 1 };
    const { dispatcher, database, schema } = await openDispatcher(databases, { clock, ...limits });
    const { receiver, answer } = await openWaitingReceiver({ status: 200 });
    await dispatcher.endpoints.create({ tenantId: TENANT, target: { url: receiver.url }, events: ["*"] });
    await dispatcher.start();
    await dispatcher.publishMany([EVENT, EVENT]);
    await receiver.waitFor(1);
    clock.advance(26_000);
    answer();
    // It is given back, and claimed anew once that is written.
    await until(() => {
      clock.advance(100);
      return receiver.requests.length === 2;
    });
    const leases = await until(async () => {
      const rows = await database.query<{ lease_no: number }>(
        `select lease_no from ${schema}.attempts order by lease_no`,
      );
      return rows.length === 2 ? rows.map((row) => row.lease_no) : null;
    });
    expect(leases[1]).toBeGreaterThan(leases[0] ?? 0);
  });
});
