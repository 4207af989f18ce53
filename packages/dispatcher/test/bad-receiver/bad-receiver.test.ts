import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AttemptErrorCode } from "../../src/index.js";
import { createVirtualClock } from "../../src/testing.js";
import { openDispatcher, TENANT, until } from "../open-dispatcher.js";
import { EXPECTED } from "./expected-attempts.js";
import { startBadReceiver } from "./start-bad-receiver.js";

const TIMEOUT_MS = 20_000;
/** Of Retry-After as well. */
const LONGEST_WAIT_MS = 60_000;
const EVENT = { tenantId: TENANT, type: "ticket.created", data: { note: "x".repeat(100_000) } };
/** Nothing listens there. */
const REFUSING = "http://127.0.0.1:1";

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("N1 N3 N5 E14 outlives a receiver of every bad manner: the limit holds, each attempt says why, and nothing is lost", async () => {
    const receiver = await startBadReceiver();
    const clock = createVirtualClock();
    let resolveHost: () => void = () => {};
    const host = new Promise<void>((resolve) => {
      resolveHost = resolve;
    });
    const { dispatcher, logged } = await openDispatcher(databases, {
      clock,
      timeoutMs: TIMEOUT_MS,
      retrySchedule: { delaysMs: Array.from({ length: 20 }, () => 5_000), jitterRatio: 0 },
      maxRetryAfterMs: LONGEST_WAIT_MS,
      maxHoldMs: LONGEST_WAIT_MS,
      addressGuard: {
        allow: ["127.0.0.0/8"],
        allowHttp: true,
        resolve: () => host.then(() => [{ address: "127.0.0.1", family: 4 }]),
      },
    });
    const expected = new Map(Object.entries(EXPECTED));
    const failed = (errorCode: AttemptErrorCode) => ({ outcome: "retry", status: null, errorCode }) as const;
    const places = new Map<string, string>([...expected.keys()].map((name) => [name, `${receiver.origin}/${name}`]));
    const add = (name: string, url: string, expectation: Parameters<typeof expected.set>[1]) => {
      places.set(name, url);
      expected.set(name, expectation);
    };
    const { port } = new URL(receiver.origin);
    const atLimit = { logged: failed("timeout"), ends: "at the limit" } as const;
    add("hangs-in-dns", `http://hangs.example:${port}/hangs-in-dns`, atLimit);
    add("hangs-in-tls", `https://127.0.0.1:${port}/`, atLimit);
    add("closes-on-connect", `${receiver.closingOrigin}/`, { logged: failed("connection_reset"), ends: "by itself" });
    add("refuses", REFUSING, { logged: failed("connection_refused"), ends: "by itself" });

    const names = new Map<string, string>();
    for (const [name, url] of places) {
      const { id } = await dispatcher.endpoints.create({ tenantId: TENANT, target: { url }, events: [EVENT.type] });
      names.set(id, name);
    }
    const target = { url: `${receiver.origin}/healthy` };
    await dispatcher.endpoints.create({ tenantId: TENANT, target, events: ["*"] });
    await dispatcher.start();
    const before = process.memoryUsage().rss;
    const { id: eventId } = await dispatcher.publish(EVENT);

    const firstAttempts = async () => {
      const found = new Map<string, Awaited<ReturnType<typeof dispatcher.deliveries.get>>>();
      for (let cursor: string | undefined; ; ) {
        const page = await dispatcher.deliveries.list({
          tenantId: TENANT,
          eventId,
          limit: 200,
          ...(cursor && { cursor }),
        });
        for (const { id, endpointId, attempts } of page.deliveries) {
          const name = names.get(endpointId ?? "");
          if (name !== undefined && attempts > 0)
            found.set(name, await dispatcher.deliveries.get({ tenantId: TENANT, id }));
        }
        if (page.nextCursor === null) return found;
        cursor = page.nextCursor;
      }
    };
    const endsByItself = (name: string) => expected.get(name)?.ends === "by itself";
    const early = await until(async () => {
      const found = await firstAttempts();
      return [...expected.keys()].filter(endsByItself).every((name) => found.has(name)) && found;
    });
    // Whoever is in the middle of it all gets what comes next.
    const later = await Promise.all(
      Array.from({ length: 20 }, () => dispatcher.publish({ tenantId: TENANT, type: "asset.created", data: {} })),
    );
    const isHealthyServed = async () => (await receiver.seen()).healthy?.accepted.length === 1 + later.length;
    await until(isHealthyServed);
    expect([...early.keys()].filter((name) => !endsByItself(name))).toEqual([]);
    // What streams without end is not read any more, and neither is what is too long.
    const cut = [...expected.keys()].filter((name) => name.startsWith("endless") && endsByItself(name));
    await until(async () => {
      const seen = await receiver.seen();
      return cut.every((name) => (seen[name]?.closed ?? 0) > 0);
    });
    for (const name of cut) expect((await receiver.seen())[name]?.writtenBytes, name).toBeLessThan(50e6);

    // No redirect was followed.
    const seen = await receiver.seen();
    expect(seen["redirects-to-itself"]?.requests).toBe(1);
    expect(seen.elsewhere).toBeUndefined();

    clock.advance(TIMEOUT_MS);
    const all = await until(async () => {
      const found = await firstAttempts();
      return found.size === expected.size && found;
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
    for (const [name, { logged: wanted, ends }] of expected) {
      const delivery = all.get(name);
      const [attempt] = delivery?.log ?? [];
      expect(attempt, name).toMatchObject(wanted);
      expect(attempt?.durationMs, name).toBe(ends === "by itself" ? 0 : TIMEOUT_MS);
      if (wanted.outcome === "delivered") continue;
      expect(attempt?.reason, name).toMatch(/\S/);
      expect(delivery?.nextAttemptAt?.getTime(), name).toBeLessThanOrEqual(clock.now() + LONGEST_WAIT_MS);
    }
    resolveHost();
    await receiver.mend();
    const unmendable = new Set(["hangs-in-tls", "closes-on-connect", "refuses"]);
    await until(async () => {
      const { inFlight, waiting } = await dispatcher.health();
      // Not so fast that the limit of what is under way runs out, but for the one that hangs in TLS.
      if (inFlight + waiting <= 1) clock.advance(1_000);
      const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT, status: "pending" });
      return deliveries.every(({ endpointId }) => unmendable.has(names.get(endpointId ?? "") ?? ""));
    }, 60);
    const mended = await receiver.seen();
    for (const [name, { logged: wanted }] of expected) {
      if (unmendable.has(name)) continue;
      // A success is not repeated.
      expect(mended[name]?.accepted, name).toEqual([eventId]);
      expect(mended[name]?.requests, name).toBe(wanted.outcome === "delivered" ? 1 : mended[name]?.requests);
    }
    const waiting = await dispatcher.deliveries.list({ tenantId: TENANT, status: "pending" });
    expect(waiting.deliveries).toHaveLength(unmendable.size);
    expect(logged).toEqual([]);

    // One that hangs does not hold up the end.
    let isStopped = false;
    const stopping = dispatcher.stop().finally(() => {
      isStopped = true;
    });
    await until(() => {
      clock.advance(1_000);
      return isStopped;
    });
    await stopping;
  });
});
