import { expect, it } from "vitest";
import type { Job } from "../src/job.js";
import { createLanes, type Lanes } from "../src/lanes.js";
import { createStoredEvent } from "../src/stored-event.js";

interface JobInput {
  readonly id: string;
  readonly endpoint?: string;
  readonly tenant?: string;
  readonly bytes?: number;
}

function job({ id, endpoint = id, tenant = "t", bytes = 1 }: JobInput): Job {
  const fields = { id, type: "a.b", timestamp: "2030-01-01T00:00:00.000Z", tenantId: tenant, subjectId: null };
  return {
    deliveryId: id,
    tenantId: tenant,
    event: createStoredEvent({ ...fields, dataText: "x".repeat(bytes) }),
    recipient: { kind: "endpoint", endpointId: endpoint, version: 1 },
    leaseNo: 1,
    leasedUntilMs: 0,
    attempts: 0,
    firstAttempt: 0,
    deadlineMs: null,
    health: null,
    isProbe: false,
    traceContext: null,
  };
}

/** Lanes whose jobs end when they are told to. */
function openLanes(options: Partial<Parameters<typeof createLanes>[0]> = {}) {
  const started: { readonly job: Job; end(): Promise<void> }[] = [];
  const clock = { ms: 0 };
  const lanes: Lanes = createLanes({
    maxInFlight: 64,
    maxInFlightPerLane: 64,
    maxWaiting: 10_000,
    maxWaitingPerLane: 1_000,
    maxWaitingBytes: 1_000_000,
    slowMs: 1_000,
    now: () => clock.ms,
    run: (running) =>
      new Promise((resolve) => {
        started.push({
          job: running,
          end: async () => {
            resolve();
            await new Promise((turn) => setImmediate(turn));
          },
        });
      }),
    onFree: () => {},
    ...options,
  });
  const offer = (count: number, input: Omit<JobInput, "id">) => {
    for (let n = 0; n < count; n += 1) lanes.offer(job({ ...input, id: `${input.endpoint}-${n}` }));
  };
  /** Offers what is left of so many as often as it is called: what finds no room waits elsewhere. */
  const feeder = (count: number, input: Omit<JobInput, "id">) => {
    let left = count;
    return () => {
      while (left > 0 && lanes.offer(job({ ...input, id: `${input.endpoint}-${left}` }))) left -= 1;
    };
  };
  const startedFor = (name: string) =>
    started.filter(({ job: { tenantId, recipient } }) =>
      tenantId === name ? true : recipient.kind === "endpoint" && recipient.endpointId === name,
    ).length;
  return { lanes, started, offer, feeder, startedFor, clock };
}

it("takes no more in while what waits is too large together, and takes more when it is not", async () => {
  const { lanes, started } = openLanes({ maxInFlight: 4, maxWaiting: 100, maxWaitingBytes: 1_000 });
  const offer = (id: string, bytes: number) => lanes.offer(job({ id, bytes, tenant: id }));
  // What is in flight does not wait.
  for (const id of ["a", "b", "c", "d"]) expect(offer(id, 5_000)).toBe(true);
  expect(lanes.inFlight).toBe(4);
  expect(offer("e", 600)).toBe(true);
  expect(lanes.room()).toBe(99);
  expect(offer("f", 600)).toBe(true);
  expect(lanes.room()).toBe(0);
  expect(offer("g", 1)).toBe(false);
  expect(lanes.withdraw(({ deliveryId }) => deliveryId === "f")).toHaveLength(1);
  expect(lanes.room()).toBe(99);
  expect(offer("h", 600)).toBe(true);
  expect(lanes.room()).toBe(0);
  await started[0]?.end();
  expect(lanes.room()).toBe(99);
  expect(offer("i", 1)).toBe(true);
});

it("N5 lets tenants take turns: a thousand endpoints of one start no more than the one of another", async () => {
  const { started, offer, feeder, startedFor } = openLanes({ maxInFlight: 64 });
  for (let n = 0; n < 1_000; n += 1) offer(2, { endpoint: `big${n}`, tenant: "big" });
  const feed = feeder(1_000, { endpoint: "one", tenant: "small" });
  const endOne = async (n: number) => {
    feed();
    await started[n]?.end();
  };
  for (let n = 0; n < 400; n += 1) await endOne(n);
  const bigBefore = startedFor("big");
  const smallBefore = startedFor("small");
  for (let n = 400; n < 1_200; n += 1) await endOne(n);
  const [big, small] = [startedFor("big") - bigBefore, startedFor("small") - smallBefore];
  expect(big + small).toBeGreaterThan(790);
  expect(big).toBeLessThanOrEqual(small * 1.15);
});

it("N5 lets the endpoints of a tenant take turns, however much one of them has waiting", async () => {
  const { started, offer, startedFor } = openLanes({ maxInFlight: 4 });
  offer(500, { endpoint: "huge" });
  for (const endpoint of ["x", "y", "z"]) offer(20, { endpoint });
  for (let n = 0; n < 70; n += 1) await started[n]?.end();
  for (const endpoint of ["x", "y", "z"]) expect(startedFor(endpoint)).toBeGreaterThanOrEqual(14);
});

it("N5 gives an endpoint few slots until it answers, so that those that hang leave most of them free", async () => {
  const { lanes, started, offer, feeder, startedFor } = openLanes({ maxInFlight: 512 });
  for (let n = 0; n < 50; n += 1) offer(100, { endpoint: `hangs${n}` });
  expect(lanes.inFlight).toBeLessThanOrEqual(200);
  const feed = feeder(400, { endpoint: "answers" });
  feed();
  const first = startedFor("answers");
  expect(first).toBeGreaterThan(0);
  for (let done = 0; startedFor("answers") < 400; done += 1) {
    expect(done).toBeLessThan(400);
    await started
      .filter(({ job: { recipient } }) => "endpointId" in recipient && recipient.endpointId === "answers")
      [done]?.end();
    feed();
  }
  // It grew on the way.
  expect(lanes.inFlight - 200).toBeGreaterThan(first);
});

it("N5 leaves half of the places to wait in to endpoints that answer, however many hang", async () => {
  const { lanes, started, offer } = openLanes({ maxInFlight: 512, maxWaiting: 2_000, maxWaitingPerLane: 256 });
  const hang = 100;
  for (let n = 0; n < hang; n += 1) offer(100, { endpoint: `hangs${n}`, tenant: `t${n}` });
  expect(lanes.room()).toBeGreaterThanOrEqual(800);
  offer(1, { endpoint: "answers", tenant: "other" });
  const own = started.find(({ job: { tenantId } }) => tenantId === "other");
  expect(own).toBeDefined();
  offer(1, { endpoint: "answers", tenant: "other" });
  const waiting = lanes.waitingIn("answers");
  await own?.end();
  offer(100, { endpoint: "answers", tenant: "other" });
  expect(lanes.waitingIn("answers")).toBeGreaterThan(waiting + 10);
});

it("asks for more for an endpoint only when half of what may wait for it is gone", async () => {
  const { lanes, started, offer } = openLanes({ maxInFlight: 64, maxWaiting: 2_000 });
  expect(lanes.wantedIn("e")).toBe(64);
  offer(200, { endpoint: "e" });
  expect(lanes.waitingIn("e")).toBe(64);
  expect(lanes.wantedIn("e")).toBe(0);
  let ended = 0;
  for (; lanes.wantedIn("e") === 0; ended += 1) await started[ended]?.end();
  expect(lanes.waitingIn("e")).toBeGreaterThan(0);
  expect(lanes.wantedIn("e")).toBeGreaterThanOrEqual(lanes.waitingIn("e"));
});

it("halves what an endpoint may have in flight when it is slow", async () => {
  const { lanes, started, offer, clock } = openLanes({ maxInFlight: 512 });
  offer(500, { endpoint: "e" });
  for (let n = 0; n < 40; n += 1) await started[n]?.end();
  const quick = lanes.inFlight;
  expect(quick).toBeGreaterThan(20);
  clock.ms += 2_000;
  for (let n = 40; n < 60; n += 1) await started[n]?.end();
  expect(lanes.inFlight).toBeLessThan(quick - 15);
});

it("keeps to what an endpoint and a tenant may have in flight, and to one until that is known", async () => {
  const { lanes, started, offer, startedFor } = openLanes({
    maxInFlightOfTenant: (tenant) => (tenant === "narrow" ? 2 : null),
    maxInFlightOfLane: ({ recipient }) =>
      recipient.kind === "endpoint" && recipient.endpointId === "limited" ? 2 : undefined,
  });
  for (const endpoint of ["n1", "n2", "n3"]) offer(5, { endpoint, tenant: "narrow" });
  expect(startedFor("narrow")).toBe(2);
  offer(5, { endpoint: "limited" });
  expect(startedFor("limited")).toBe(2);
  offer(5, { endpoint: "unknown" });
  expect(startedFor("unknown")).toBe(1);
  lanes.limitLane("unknown", null);
  expect(startedFor("unknown")).toBeGreaterThan(1);
  const before = started.length;
  await started[0]?.end();
  expect(startedFor("narrow")).toBe(3);
  expect(started.length).toBe(before + 1);
});

it("loses no turn when a tenant or an endpoint had no room while it had its turn", async () => {
  const { lanes, started, offer } = openLanes({ maxInFlight: 3 });
  for (let n = 0; n < 30; n += 1) offer(3, { endpoint: `e${n}`, tenant: `t${n % 7}` });
  for (let n = 0; n < 90; n += 1) {
    expect(started.length).toBeGreaterThan(n);
    await started[n]?.end();
  }
  await lanes.idle();
  expect(lanes.waiting).toBe(0);
});

it("has as much waiting for an endpoint as it takes in a moment, and more to fetch waits while it has much of that", async () => {
  const { lanes, started, offer, clock } = openLanes({ maxInFlight: 512, maxWaiting: 2_000, maxWaitingPerLane: 256 });
  const take = async (count: number, everyMs: number) => {
    for (let n = 0; n < count; n += 1) {
      offer(10, { endpoint: "e" });
      clock.ms += everyMs;
      await started[ended]?.end();
      ended += 1;
    }
  };
  let ended = 0;
  offer(500, { endpoint: "e" });
  expect(lanes.isAhead).toBe(true);
  clock.ms += 100;
  // It has not answered for a while: the others do not wait for it.
  expect(lanes.isAhead).toBe(false);
  await take(200, 0.5);
  expect(lanes.waitingIn("e")).toBeGreaterThan(300);
  expect(lanes.isAhead).toBe(true);
  // Slow from here on.
  await take(250, 20);
  expect(lanes.isAhead).toBe(false);
  offer(500, { endpoint: "e" });
  expect(lanes.waitingIn("e")).toBeLessThan(300);
});

it("is not ahead for endpoints that have little waiting, nor once what waited is withdrawn", async () => {
  const { lanes, started, offer } = openLanes({ maxInFlight: 64, maxWaiting: 2_000 });
  offer(20, { endpoint: "e" });
  expect(lanes.isAhead).toBe(false);
  await started[0]?.end();
  offer(60, { endpoint: "e" });
  lanes.withdrawLane("e");
  expect(lanes.isAhead).toBe(false);
});

it("goes on with an endpoint that ran dry for a moment as it was, and begins anew with one that was idle longer", async () => {
  const { lanes, started, offer, clock } = openLanes({ maxInFlight: 512, maxWaiting: 2_000 });
  const endAll = async () => {
    while (lanes.inFlight > 0) for (const { end } of started.splice(0)) await end();
  };
  const begun = () => {
    offer(100, { endpoint: "e" });
    return lanes.inFlight;
  };
  expect(begun()).toBe(4);
  await endAll();
  expect(lanes.waiting).toBe(0);
  clock.ms += 500;
  expect(begun()).toBe(64);
  await endAll();
  clock.ms += 1_500;
  expect(begun()).toBe(4);
});
