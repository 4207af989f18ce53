import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AttemptRow } from "../src/sql/record-attempts.js";
import { createStatements } from "../src/sql/statements.js";
import { openDispatcher, openReceiver, subscribeReceiver, TENANT } from "./open-dispatcher.js";

const NOW = "2026-01-01T00:00:00Z";

function attemptUnder(leaseNo: number, deliveryId: string, outcome: Partial<AttemptRow>): AttemptRow {
  return {
    deliveryId,
    leaseNo,
    attempt: 1,
    startedAt: NOW,
    durationMs: 1,
    outcome: "delivered",
    ending: "delivered",
    status: 204,
    errorCode: null,
    reason: null,
    requestHeaders: null,
    responseBody: null,
    phases: null,
    nextAt: null,
    entity: null,
    state: null,
    ...outcome,
  };
}

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("N1 records nothing of a lost lease, also beside the outcome of the lease that followed it", async () => {
    const { dispatcher, database, schema } = await openDispatcher(databases);
    const endpoint = await subscribeReceiver(dispatcher, await openReceiver());
    await dispatcher.publish({ tenantId: TENANT, type: "a.b", data: {} });
    const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT });
    const id = deliveries[0]?.id ?? "";
    await database.query(`update ${schema}.queue set leased = true, lease_no = 2`);

    // As a process holds them whose database was gone while its lease ran out, and which took the delivery once more.
    const lost = attemptUnder(1, id, {
      outcome: "retry",
      ending: null,
      nextAt: NOW,
      status: 410,
      entity: "e",
      state: '"lost"',
    });
    const kept = attemptUnder(2, id, { entity: "e", state: '"kept"' });
    const { recordAttempts } = createStatements(schema);
    expect(await recordAttempts(database.query, [lost, kept])).toMatchObject([{ id, lease_no: 2 }]);

    expect(await dispatcher.deliveries.get({ tenantId: TENANT, id })).toMatchObject({
      status: "delivered",
      log: [{ attempt: 1, outcome: "delivered", status: 204 }],
    });
    expect(await database.query(`select state from ${schema}.states`)).toEqual([{ state: '"kept"' }]);
    expect(await dispatcher.endpoints.get({ tenantId: TENANT, id: endpoint.id })).toMatchObject({ active: true });
  });

  it.each([
    { lease: "that another one followed", leased: true, leaseNo: 2 },
    { lease: "that was given back", leased: false, leaseNo: 1 },
  ])("N1 records nothing of a lease $lease, be it an end or another try", async ({ leased, leaseNo }) => {
    const { dispatcher, database, schema } = await openDispatcher(databases);
    await subscribeReceiver(dispatcher, await openReceiver());
    await dispatcher.publish({ tenantId: TENANT, type: "a.b", data: {} });
    const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT });
    const id = deliveries[0]?.id ?? "";
    await database.query(`update ${schema}.queue set leased = ${leased}, lease_no = ${leaseNo}`);
    const { recordAttempts } = createStatements(schema);
    for (const outcome of [{}, { outcome: "retry", ending: null, nextAt: NOW }] as const) {
      expect(await recordAttempts(database.query, [attemptUnder(1, id, outcome)])).toEqual([]);
    }
    expect(await database.query(`select leased, lease_no, attempt from ${schema}.queue`)).toEqual([
      { leased, lease_no: leaseNo, attempt: 0 },
    ]);
    expect((await dispatcher.deliveries.get({ tenantId: TENANT, id }))?.log).toEqual([]);
  });
});
