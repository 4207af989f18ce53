import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDispatcher, TENANT } from "./open-dispatcher.js";

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("W9 lists events of a time, page by page, while later ones come in", async () => {
    const { dispatcher } = await openDispatcher(databases);
    const at = (n: number) => ({
      tenantId: TENANT,
      type: "a.b",
      timestamp: new Date(Date.UTC(2026, 0, n)),
      data: { n },
    });
    await dispatcher.publishMany([1, 2, 3, 4, 5].map(at));
    const list = async (query: object) => {
      const { events, nextCursor } = await dispatcher.events.list({ tenantId: TENANT, ...query });
      return { found: events.map((event) => (event.data as { n: number }).n), nextCursor };
    };
    const [second, fifth] = [at(2).timestamp, at(5).timestamp];
    expect(await list({ since: second })).toEqual({ found: [5, 4, 3, 2], nextCursor: null });
    expect(await list({ until: second })).toEqual({ found: [1], nextCursor: null });
    expect(await list({ since: second, until: second })).toEqual({ found: [], nextCursor: null });

    const time = { since: second, until: fifth, limit: 2 };
    const first = await list(time);
    expect(first.found).toEqual([4, 3]);
    await dispatcher.publishMany([at(4.5), at(6)]);
    expect(await list({ ...time, cursor: first.nextCursor })).toEqual({ found: [2], nextCursor: null });

    const [earliest, latest] = [new Date(-8.64e15), new Date(8.64e15)];
    expect((await list({ since: earliest, until: latest })).found).toHaveLength(7);
    expect((await list({ since: latest })).found).toEqual([]);
    for (const bound of [{ since: new Date("nonsense") }, { until: "2026-01-01" }]) {
      const [path] = Object.keys(bound);
      await expect(list(bound)).rejects.toMatchObject({ code: "invalid_query", issues: [{ path }] });
    }
  });
});
