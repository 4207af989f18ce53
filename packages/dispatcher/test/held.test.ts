import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDispatcher, TENANT } from "./open-dispatcher.js";

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("N5 shows what was set aside for an endpoint as held once it is disabled, refuses its retry, and has it pending when it is enabled", async () => {
    const { dispatcher, database, schema } = await openDispatcher(databases);
    const target = { url: "https://example.com/" };
    const endpoint = await dispatcher.endpoints.create({ tenantId: TENANT, target, events: ["*"] });
    await dispatcher.publishMany([1, 2].map((n) => ({ tenantId: TENANT, type: "a.b", data: { n } })));
    const ids = (status: "held" | "pending") =>
      dispatcher.deliveries.list({ tenantId: TENANT, status }).then(({ deliveries }) => deliveries.map(({ id }) => id));
    const [, first = ""] = await ids("pending");
    // As a worker does whose memory is full.
    await database.query(`update ${schema}.queue set state = 2 where id = $1`, [first]);
    expect(await ids("pending")).toContain(first);
    await dispatcher.endpoints.disable(endpoint);
    expect([await ids("held"), (await ids("pending")).includes(first)]).toEqual([[first], false]);
    expect(await dispatcher.deliveries.get({ tenantId: TENANT, id: first })).toMatchObject({ status: "held" });
    expect(await dispatcher.deliveries.retryMany({ tenantId: TENANT, ids: [first] })).toMatchObject({
      results: [{ id: first, status: "refused", code: "endpoint_disabled" }],
    });
    // What was held before waits for nothing but room once the endpoint is active.
    await database.query(`update ${schema}.queue set state = 1 where id = $1`, [first]);
    await database.query(`update ${schema}.endpoints set active = true`);
    expect([await ids("held"), (await ids("pending")).includes(first)]).toEqual([[], true]);
    expect(await dispatcher.deliveries.retry({ tenantId: TENANT, id: first })).toMatchObject({ status: "pending" });
    expect(await database.query(`select state from ${schema}.queue where id = $1`, [first])).toEqual([{ state: 0 }]);
  });
});
