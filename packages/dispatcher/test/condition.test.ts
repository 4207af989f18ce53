import { type Condition, conditionIssues } from "@hookline/core";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileCondition } from "../src/condition.js";
import { openDispatcher, openReceiver, TENANT, until, untilDelivery } from "./open-dispatcher.js";

const TICKET = {
  ticket: { priority: 2, title: "Printer", tags: ["vip", "eu"], assignee: null },
  lines: [{ n: 1 }, { n: 5 }],
};

describe("condition", () => {
  it.each<[Condition, boolean]>([
    [{ "ticket.priority": 2 }, true],
    [{ "ticket.priority": { $gte: 2, $lt: 3 } }, true],
    [{ "ticket.priority": { $gt: 2 } }, false],
    [{ "ticket.priority": { $lte: 1 } }, false],
    [{ "ticket.priority": "2" }, false],
    [{ "ticket.title": { $eq: "Printer" } }, true],
    [{ "ticket.title": { $ne: "Printer" } }, false],
    [{ "ticket.title": { $in: ["Mouse", "Printer"] } }, true],
    [{ "ticket.title": { $nin: ["Mouse", "Printer"] } }, false],
    [{ "ticket.number": { $exists: false } }, true],
    [{ "ticket.title": { $exists: false } }, false],
    [{ "ticket.assignee": null }, true],
    [{ "ticket.tags": "vip" }, true],
    [{ "ticket.tags": { $all: ["vip", "us"] } }, false],
    [{ "ticket.tags": { $size: 2 } }, true],
    [{ lines: { $elemMatch: { n: { $gt: 3 } } } }, true],
    [{ lines: { $elemMatch: { n: { $gt: 5 } } } }, false],
    [{ "ticket.tags": { $elemMatch: { $eq: "eu" } } }, true],
    [{ $or: [{ "ticket.priority": 0 }, { "ticket.title": "Printer" }] }, true],
    [{ $and: [{ "ticket.priority": 2 }, { "ticket.title": "Mouse" }] }, false],
    [{ $nor: [{ "ticket.priority": 2 }] }, false],
    [{ "ticket.priority": { $not: { $gt: 2 } } }, true],
    [{ "ticket.priority": 2, "ticket.title": "Mouse" }, false],
  ])("W9 judges data by %j: %s", (condition, expected) => {
    expect(conditionIssues(condition)).toEqual([]);
    expect(compileCondition(condition)(TICKET)).toBe(expected);
  });

  it.each([null, "text", 4, [], [[1]], {}])("matches no field of %j, and does not throw", (data) => {
    expect(compileCondition({ "ticket.priority": 2 })(data)).toBe(false);
  });

  const deep = (levels: number): unknown => (levels === 0 ? { a: 1 } : { $and: [deep(levels - 1)] });
  it.each<[unknown, string]>([
    [{ $where: "this.a" }, "condition.$where"],
    [{ a: { $where: "this.a" } }, "condition.a.$where"],
    [{ a: { $regex: "^(a+)+$" } }, "condition.a.$regex"],
    [{ a: { $mod: [2, 0] } }, "condition.a.$mod"],
    [{ a: /x/ }, "condition.a"],
    [{ a: () => true }, "condition.a"],
    [{ a: new Date(0) }, "condition.a"],
    [{ a: { $eq: { $where: "1" } } }, "condition.a.$eq.$where"],
    [{ a: { b: { $gt: 1 } } }, "condition.a.b.$gt"],
    [{ a: { $gt: 1, b: 2 } }, "condition.a.b"],
    [{ a: { $in: "x" } }, "condition.a.$in"],
    [{ a: { $in: [] } }, "condition.a.$in"],
    [{ a: { $in: Array.from({ length: 101 }, () => 1) } }, "condition.a.$in"],
    [{ a: { $exists: 1 } }, "condition.a.$exists"],
    [{ a: { $size: -1 } }, "condition.a.$size"],
    [{ a: { $gt: null } }, "condition.a.$gt"],
    [{ a: { $not: 1 } }, "condition.a.$not"],
    [{ a: { $elemMatch: 1 } }, "condition.a.$elemMatch"],
    [{ $or: [] }, "condition.$or"],
    [{ $or: [{ a: 1 }, { b: { $regex: "x" } }] }, "condition.$or.1.b.$regex"],
    [{ $and: { a: 1 } }, "condition.$and"],
    [{ $not: { a: 1 } }, "condition.$not"],
    [{ "a..b": 1 }, "condition.a..b"],
    [{ "a.constructor.name": "Object" }, "condition.a.constructor.name"],
    [{ ["x".repeat(257)]: 1 }, `condition.${"x".repeat(257)}`],
    [{ a: "x".repeat(8_192) }, "condition"],
    [{}, "condition"],
    [[], "condition"],
    ["a", "condition"],
  ])("W9 refuses %j at its path", (condition, path) => {
    expect(conditionIssues(condition)[0]?.path).toBe(path);
  });

  it("W9 refuses what is nested too deep", () => {
    expect(conditionIssues(deep(3))).toEqual([]);
    expect(conditionIssues(deep(200))[0]?.message).toContain("nested deeper");
  });
});

describe("condition over large data", () => {
  const numbers = Array.from({ length: 20_000 }, (_, n) => n);
  const list = Array.from({ length: 100 }, (_, n) => -1 - n);
  const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);
  it.each<[string, Condition, unknown]>([
    ["$nin", { a: { $nin: list } }, { a: numbers }],
    ["$in", { a: { $in: list } }, { a: numbers }],
    ["many $ne", { $and: list.map((n) => ({ a: { $ne: n } })) }, { a: numbers }],
    ["many values", { $or: list.map((n) => ({ a: n })) }, { a: numbers }],
    ["many $gt", { $or: list.map(() => ({ a: { $gt: 30_000 } })) }, { a: numbers }],
    ["$elemMatch", { a: { $elemMatch: { $in: list } } }, { a: numbers }],
    [
      "$elemMatch within $elemMatch",
      { a: { $elemMatch: { b: { $elemMatch: { $in: list } } } } },
      { a: [{ b: numbers }, { b: numbers }] },
    ],
    ["lists in lists", { a: { $in: list } }, { a: nested(2_000) }],
  ])("W9 ends a judgement by %s that takes too many steps", (_name, condition, data) => {
    expect(conditionIssues(condition)).toEqual([]);
    expect(() => compileCondition(condition)(data)).toThrow("more than 1000000 steps");
  });

  it("W9 judges each event anew, however many came before", () => {
    const accepts = compileCondition({ a: { $in: [7, 19_999] } });
    for (let time = 0; time < 30; time += 1) expect(accepts({ a: numbers })).toBe(true);
  });
});

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("W9 delivers only events whose data fit the endpoint's condition, and keeps no trace of the rest", async () => {
    const { dispatcher } = await openDispatcher(databases);
    await dispatcher.start();
    const receiver = await openReceiver();
    const endpoint = await dispatcher.endpoints.create({
      tenantId: TENANT,
      target: { url: receiver.url },
      events: ["ticket.*"],
      condition: { priority: { $gte: 2 } },
    });
    const publish = (priority: number, transaction?: Parameters<typeof dispatcher.publish>[1]) =>
      dispatcher.publish({ tenantId: TENANT, type: "ticket.created", data: { priority } }, transaction);
    await publish(1);
    await publish(2);
    await dispatcher.transaction(async (transaction) => {
      await publish(0, { transaction });
      await publish(3, { transaction });
    });
    await receiver.waitFor(2);
    const { deliveries } = await until(async () => {
      const page = await dispatcher.deliveries.list({ tenantId: TENANT });
      return page.deliveries.length === 2 && page.deliveries.every(({ status }) => status === "delivered")
        ? page
        : null;
    });
    expect(deliveries.map(({ attempts }) => attempts)).toEqual([1, 1]);
    expect(
      receiver.requests.map((request) => (request.json() as { data: { priority: number } }).data.priority).sort(),
    ).toEqual([2, 3]);
    expect((await dispatcher.health()).queue).toMatchObject({ due: 0, held: 0 });

    // Sent by hand, whatever the condition says.
    await dispatcher.endpoints.update(endpoint, { condition: { priority: 9 } });
    await dispatcher.deliveries.retry({ tenantId: TENANT, id: deliveries[0]?.id ?? "" });
    await receiver.waitFor(3);
    await dispatcher.endpoints.update(endpoint, { condition: null });
    await publish(0);
    await receiver.waitFor(4);
  });

  it("W9 ends a delivery as dead whose condition takes too many steps, saying why", async () => {
    const { dispatcher } = await openDispatcher(databases);
    await dispatcher.start();
    const condition = { a: { $nin: Array.from({ length: 100 }, (_, n) => -1 - n) } };
    const target = { url: "https://example.com/" };
    await dispatcher.endpoints.create({ tenantId: TENANT, target, events: ["*"], condition });
    await dispatcher.publish({ tenantId: TENANT, type: "a.b", data: { a: Array.from({ length: 20_000 }, () => 1) } });
    const delivery = await untilDelivery(dispatcher, ({ status }) => status === "dead");
    expect(delivery?.log).toMatchObject([{ outcome: "dead", errorCode: "plan_failed" }]);
    expect(delivery?.reason).toContain("more than 1000000 steps");
  });

  it("W9 keeps the order of a key past what the condition leaves out", async () => {
    const { dispatcher } = await openDispatcher(databases);
    const receiver = await openReceiver();
    await dispatcher.endpoints.create({
      tenantId: TENANT,
      target: { url: receiver.url },
      events: ["*"],
      policy: { ordering: "block" },
      condition: { n: { $in: [2, 5] } },
    });
    for (const n of [1, 2, 3, 4, 5]) {
      await dispatcher.publish({ tenantId: TENANT, type: "a.b", data: { n }, orderingKey: "one" });
    }
    await dispatcher.start();
    const requests = await receiver.waitFor(2);
    expect(requests.map((request) => (request.json() as { data: { n: number } }).data.n)).toEqual([2, 5]);
  });

  it("W9 judges what was held by the condition as it is when it comes up", async () => {
    const { dispatcher } = await openDispatcher(databases);
    const receiver = await openReceiver();
    const input = { tenantId: TENANT, target: { url: receiver.url }, events: ["*"], active: false };
    const endpoint = await dispatcher.endpoints.create(input);
    for (const n of [1, 2, 3]) await dispatcher.publish({ tenantId: TENANT, type: "a.b", data: { n } });
    await dispatcher.endpoints.update(endpoint, { condition: { n: { $in: [2] } } });
    await dispatcher.start();
    await dispatcher.endpoints.enable(endpoint);
    const [request] = await receiver.waitFor(1);
    expect(request?.json()).toMatchObject({ data: { n: 2 } });
    await until(async () => (await dispatcher.deliveries.list({ tenantId: TENANT })).deliveries.length === 1);
  });

  it("W1 keeps what an endpoint's owner says of it, changes it and clears it", async () => {
    const { dispatcher } = await openDispatcher(databases);
    const condition = { "ticket.priority": { $gte: 2 } };
    const about = { description: "The shop's tickets", metadata: { team: "shop", "cost centre": "17" }, condition };
    const made = await dispatcher.endpoints.create({
      tenantId: TENANT,
      target: { url: "https://example.com/" },
      events: ["*"],
      ...about,
    });
    expect(made).toMatchObject({ ...about, verification: "none" });
    expect(await dispatcher.endpoints.get(made)).toMatchObject(about);
    expect((await dispatcher.endpoints.list({ tenantId: TENANT })).endpoints).toMatchObject([about]);
    expect(await dispatcher.endpoints.update(made, { description: "Ours" })).toMatchObject({
      ...about,
      description: "Ours",
    });
    expect(
      await dispatcher.endpoints.update(made, { description: null, metadata: { a: "b" }, condition: null }),
    ).toMatchObject({ description: null, metadata: { a: "b" }, condition: null });
    expect((await dispatcher.endpoints.update(made, { metadata: null })).metadata).toEqual({});
  });

  it("W1 refuses descriptions, metadata and conditions that are too long or none, at their paths", async () => {
    const { dispatcher } = await openDispatcher(databases);
    const input = { tenantId: TENANT, target: { url: "https://example.com/" }, events: ["*"] };
    const bad: readonly (readonly [object, string])[] = [
      [{ description: "x".repeat(1_001) }, "description"],
      [{ description: 1 }, "description"],
      [{ description: "a\u0000" }, "description"],
      [{ metadata: ["a"] }, "metadata"],
      [{ metadata: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [n, "x"])) }, "metadata"],
      [{ metadata: { ["x".repeat(41)]: "" } }, `metadata.${"x".repeat(41)}`],
      [{ metadata: { a: 1 } }, "metadata.a"],
      [{ metadata: { a: "x".repeat(501) } }, "metadata.a"],
      [{ condition: { a: { $where: "1" } } }, "condition.a.$where"],
    ];
    const known = await dispatcher.endpoints.create(input);
    for (const [fields, path] of bad) {
      const refusal = { code: "invalid_endpoint", issues: [{ path }] };
      await expect(dispatcher.endpoints.create({ ...input, ...fields }), path).rejects.toMatchObject(refusal);
      await expect(dispatcher.endpoints.update(known, fields), path).rejects.toMatchObject(refusal);
    }
  });
});
