import { type Destination, defineDestination } from "@hookline/core";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  openDispatcher,
  openReceiver,
  openWaitingReceiver,
  subscribeReceiver,
  TENANT,
  until,
} from "./open-dispatcher.js";

const JO = "discord:80351110224678912";
const AL = "con_al";

/** A destination that sends what it is given to a URL. */
const post = defineDestination<{ url: string }>({
  id: "post",
  plan: ({ data }, { endpoint }) => ({
    kind: "request",
    request: { method: "POST", url: endpoint.target.url, headers: {}, body: JSON.stringify(data) },
  }),
}) as Destination;

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  const open = () => openDispatcher(databases, { retrySchedule: { delaysMs: [1] }, destinations: [post] });
  type Opened = Awaited<ReturnType<typeof open>>;

  type About = { readonly subjectIds: readonly string[]; readonly text?: string };
  const send = ({ dispatcher }: Opened, url: string, { subjectIds, text = "hello Jo" }: About) =>
    dispatcher.send({ tenantId: TENANT, destination: "post", target: { url }, data: { text }, subjectIds });

  const stored = async ({ database, schema }: Opened): Promise<string> => {
    const tables = ["messages", "events", "attempts", "queue", "states"];
    const rows = await Promise.all(tables.map((table) => database.query(`select t::text from ${schema}.${table} t`)));
    return JSON.stringify(rows);
  };

  it("N9 lists the attempts of events, those of deliveries that still wait among them", async () => {
    const { dispatcher } = await open();
    await dispatcher.start();
    const receiver = await openReceiver({ answer: () => ({ status: 500, body: "no, Jo" }) });
    const policy = { retrySchedule: { delaysMs: [1, 3_600_000] } };
    const target = { url: receiver.url };
    const failing = await dispatcher.endpoints.create({ tenantId: TENANT, target, events: ["*"], policy });
    const good = await openReceiver({ answer: () => ({ status: 200, body: "thanks, Jo" }) });
    const endpoint = await subscribeReceiver(dispatcher, good);
    const publish = async (n: number) =>
      (await dispatcher.publish({ tenantId: TENANT, type: "ticket.created", data: { n } })).id;
    const [one, two] = [await publish(1), await publish(2)];
    const { events } = dispatcher;
    const list = (eventIds: readonly string[], tenantId = TENANT) => events.listAttempts({ tenantId, eventIds });
    const attempts = await until(async () => {
      const found = await list([one]);
      return found.length === 3 && found;
    });
    const about = { deliveryId: expect.any(String), eventId: one, startedAt: expect.stringMatching(/Z$/) };
    const failed = { ...about, endpointId: failing.id, outcome: "retry", status: 500, responseBody: "no, Jo" };
    expect([...attempts].sort((a, b) => b.outcome.localeCompare(a.outcome) || a.attempt - b.attempt)).toEqual([
      { ...failed, attempt: 1 },
      { ...failed, attempt: 2 },
      { ...about, endpointId: endpoint.id, attempt: 1, outcome: "delivered", status: 200, responseBody: "thanks, Jo" },
    ]);
    await until(async () => (await list([one, two])).length === 6);
    expect(await list([one], "other")).toEqual([]);
    expect(await list([])).toEqual([]);
    await expect(list(Array.from({ length: 201 }, () => one))).rejects.toMatchObject({ code: "invalid_query" });
  });

  it("N9 lists direct sends about a person, page by page, without their targets", async () => {
    const opened = await open();
    const { dispatcher } = opened;
    await dispatcher.start();
    const receiver = await openReceiver({ answer: () => ({ status: 200, body: "thanks, Jo" }) });
    const first = await send(opened, receiver.url, { subjectIds: [JO, AL], text: "one" });
    const second = await send(opened, receiver.url, { subjectIds: [JO], text: "two" });
    await send(opened, receiver.url, { subjectIds: ["con_other"] });
    await dispatcher.send({ tenantId: TENANT, destination: "post", target: { url: receiver.url }, data: {} });
    const list = (subjectIds: readonly string[], more: object = {}) =>
      dispatcher.events.listSends({ tenantId: TENANT, subjectIds, ...more });
    const page = await until(async () => {
      const found = await list([JO, "con_none"], { limit: 1 });
      return found.sends[0]?.attempts.length === 1 && found;
    });
    expect(page).toEqual({
      sends: [
        {
          deliveryId: second.deliveryId,
          destination: "post",
          storedAt: expect.stringMatching(/Z$/),
          data: { text: "two" },
          attempts: [
            {
              deliveryId: second.deliveryId,
              attempt: 1,
              startedAt: expect.any(String),
              outcome: "delivered",
              status: 200,
              responseBody: "thanks, Jo",
            },
          ],
        },
      ],
      nextCursor: expect.any(String),
    });
    const next = await list([JO], { limit: 1, cursor: page.nextCursor });
    expect(next).toMatchObject({ sends: [{ deliveryId: first.deliveryId }], nextCursor: null });
    expect((await list([AL])).sends).toHaveLength(1);
    expect((await list([])).sends).toEqual([]);
    expect(await dispatcher.events.listSends({ tenantId: "other", subjectIds: [JO] })).toEqual({
      sends: [],
      nextCursor: null,
    });
    await expect(list([JO], { cursor: "nonsense" })).rejects.toMatchObject({ code: "invalid_cursor" });
  });

  it("N9 expunges direct sends about a person for good, ends what waits, and leaves the others", async () => {
    const opened = await open();
    const { dispatcher } = opened;
    await dispatcher.start();
    const receiver = await openReceiver({ answer: () => ({ status: 200, body: "thanks, Jo" }) });
    const sent = await send(opened, receiver.url, { subjectIds: [JO] });
    const other = await send(opened, receiver.url, { subjectIds: ["con_other"], text: "hello others" });
    await receiver.waitFor(2);
    await dispatcher.stop();
    const waiting = await send(opened, receiver.url, { subjectIds: [AL, JO] });
    const expunge = (tenantId = TENANT) => dispatcher.events.expungeSends({ tenantId, subjectIds: [JO, "con_none"] });
    await expunge("other");
    expect(await stored(opened)).toContain("hello Jo");
    expect(await expunge()).toEqual({ inFlight: 0 });
    const text = await stored(opened);
    expect(text).not.toMatch(/hello Jo|80351110224678912|con_al/);
    expect(text).toContain("hello others");
    const statusOf = async (id: string) => (await dispatcher.deliveries.get({ tenantId: TENANT, id }))?.ending;
    expect(await statusOf(waiting.deliveryId)).toBe("expunged");
    expect(await statusOf(sent.deliveryId)).toBe("delivered");
    expect(await statusOf(other.deliveryId)).toBe("delivered");
    await expect(dispatcher.deliveries.retry({ tenantId: TENANT, id: sent.deliveryId })).rejects.toMatchObject({
      code: "payload_expunged",
    });
    expect((await dispatcher.events.listSends({ tenantId: TENANT, subjectIds: [JO, AL] })).sends).toEqual([]);
    expect(await expunge()).toEqual({ inFlight: 0 });
  });

  it("N9 says what is being sent while it is expunged, and does not keep its answer", async () => {
    const opened = await open();
    const { dispatcher } = opened;
    const { receiver, answer } = await openWaitingReceiver({ status: 200, body: "thanks, Jo" });
    await dispatcher.start();
    const { deliveryId } = await send(opened, receiver.url, { subjectIds: [JO] });
    await receiver.waitFor(1);
    const expunge = () => dispatcher.events.expungeSends({ tenantId: TENANT, subjectIds: [JO] });
    expect(await expunge()).toEqual({ inFlight: 1 });
    answer();
    await until(async () => (await dispatcher.deliveries.get({ tenantId: TENANT, id: deliveryId }))?.endedAt);
    expect(await stored(opened)).not.toContain("thanks, Jo");
    expect(await expunge()).toEqual({ inFlight: 0 });
    expect(await stored(opened)).not.toMatch(/thanks, Jo|80351110224678912/);
  });

  it("N9 refuses subjects that will not do", async () => {
    const opened = await open();
    for (const [subjectIds, path] of [
      ["con_1", "subjectIds"],
      [Array.from({ length: 11 }, () => JO), "subjectIds"],
      [[""], "subjectIds.0"],
      [[JO, "x".repeat(641)], "subjectIds.1"],
      [[7], "subjectIds.0"],
    ] as const) {
      await expect(send(opened, "https://example.com", { subjectIds: subjectIds as never })).rejects.toMatchObject({
        code: "invalid_message",
        issues: [{ path }],
      });
    }
  });
});
