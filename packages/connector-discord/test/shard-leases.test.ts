import { gzipSync } from "node:zlib";
import type { Clock } from "@hookline/core";
import { systemClock } from "@hookline/core";
import { sign } from "@hookline/webhook-signing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { INGRESS_LIMITS, ingressScheme } from "../src/index.js";
import type { LeaseRequest } from "../src/lease-contract.js";
import { CHANNEL_ID, GUILD_ID, INGRESS_SECRET, snowflake, startApp, type TestApp } from "./support/app.js";
import type { Json } from "./support/json.js";
import { createKeptState } from "./support/kept-state.js";

let nowMs = Date.now();
const clock: Clock = { ...systemClock, now: () => nowMs };
let app: TestApp;
beforeEach(async () => {
  app = await startApp({ clock });
});
afterEach(() => app.close());

const FIRST = "first-worker-of-several";
const SECOND = "second-worker-of-several";
const at = (seq: number, sessionId = "session") => ({
  sessionId,
  resumeUrl: "wss://gateway.example",
  seq,
  shardCount: 1,
  intents: 513,
  lastSeenAtMs: 1,
});

async function post(path: string, body: string | Uint8Array, headers: Record<string, string> = {}) {
  const response = await fetch(`${app.url}${path}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...sign(body, { scheme: ingressScheme, secrets: [INGRESS_SECRET], timestamp: Math.floor(nowMs / 1000) }),
      ...headers,
    },
    body,
  });
  return { status: response.status, body: (await response.json()) as Json };
}

async function ask(request: Partial<LeaseRequest>) {
  const whole = { holder: FIRST, ttlMs: 10_000, held: [], released: [], wanted: [], limit: 10, ...request };
  const answer = await post("/shard-leases", JSON.stringify(whole));
  expect(answer.status).toBe(200);
  return answer.body.leases;
}

const wants = async (holder: string) => (await ask({ holder, wanted: [0] }))[0];

let seq = 0;
function batch(fences?: Record<string, number>) {
  seq += 1;
  const d = {
    id: snowflake(nowMs),
    channel_id: CHANNEL_ID,
    guild_id: GUILD_ID,
    content: "hello",
    author: { id: "400000000000000001" },
  };
  const receivedAt = new Date(nowMs).toISOString();
  const item = { key: `session:0:${seq}`, sessionId: "session", shard: 0, seq, type: "MESSAGE_CREATE", receivedAt, d };
  return JSON.stringify({ ...(fences ? { fences } : {}), items: [item] });
}

describe("the leases of shards", () => {
  it("N2 go to one worker at a time, with the position that it has left", async () => {
    const first = await wants(FIRST);
    expect(first).toMatchObject({ shard: 0, status: "held", session: null, continued: false });
    expect(await wants(SECOND)).toEqual({ shard: 0, status: "taken", session: null });
    const { fence } = first;
    expect(await ask({ held: [{ shard: 0, fence, session: at(7) }] })).toMatchObject([{ status: "held", fence }]);
    // Null says nothing of the position: it stays.
    await ask({ held: [{ shard: 0, fence, session: null }] });
    nowMs += 9_999;
    expect(await wants(SECOND)).toEqual({ shard: 0, status: "taken", session: at(7) });
    nowMs += 1;
    const second = await wants(SECOND);
    expect(second).toMatchObject({ status: "held", session: at(7), continued: false });
    expect(second.fence).toBeGreaterThan(fence);
    // Too late: neither prolonged, nor is its position taken.
    expect(await ask({ held: [{ shard: 0, fence, session: at(99) }] })).toEqual([
      { shard: 0, status: "taken", session: at(7) },
    ]);
  });

  it("N2 tell of a gap where their last holder died before it said where it was", async () => {
    const grantedAtMs = nowMs;
    await wants(FIRST);
    nowMs += 10_000;
    expect(await wants(SECOND)).toMatchObject({
      status: "held",
      session: { sessionId: "unknown", intents: 0, lastSeenAtMs: grantedAtMs },
    });
  });

  it("N2 are continued by the same worker at once, with a new fence", async () => {
    const { fence } = await wants(FIRST);
    const again = await wants(FIRST);
    expect(again).toMatchObject({ status: "held", continued: true });
    expect(again.fence).toBeGreaterThan(fence);
    expect(await ask({ held: [{ shard: 0, fence, session: null }] })).toMatchObject([{ status: "taken" }]);
  });

  it("N2 can be given back, by their holder only", async () => {
    const { fence } = await wants(FIRST);
    const release = (stale: number) => ask({ released: [{ shard: 0, fence: stale, session: at(12) }] });
    expect(await release(fence - 1)).toMatchObject([{ status: "taken" }]);
    expect(await wants(SECOND)).toMatchObject({ status: "taken" });
    expect(await release(fence)).toEqual([{ shard: 0, status: "released" }]);
    expect(await wants(SECOND)).toMatchObject({ status: "held", session: at(12), continued: false });
  });

  it("N2 are given to no more shards than asked for, and to one of many who ask at once", async () => {
    expect((await ask({ wanted: [0, 1, 2], limit: 2 })).map((lease: Json) => lease.status)).toEqual([
      "held",
      "held",
      "free",
    ]);
    const holders = Array.from({ length: 8 }, (_, index) => `one-of-many-workers-${index}`);
    const leases = await Promise.all(holders.map((holder) => ask({ holder, wanted: [5] })));
    expect(leases.filter(([lease]) => lease.status === "held")).toHaveLength(1);
  });

  it("N2 fence the ingress: only the present holder's batches are taken", async () => {
    expect((await post("/ingress", batch())).status).toBe(200);
    const { fence } = await wants(FIRST);
    expect((await post("/ingress", batch({ 0: fence }))).status).toBe(200);
    expect(await post("/ingress", batch())).toMatchObject({ status: 409, body: { code: "fenced" } });
    nowMs += 10_000;
    // Nobody else has it yet, so nothing is out of order.
    expect((await post("/ingress", batch({ 0: fence }))).status).toBe(200);
    const second = await wants(SECOND);
    const before = app.ingested.length;
    expect(await post("/ingress", batch({ 0: fence }))).toMatchObject({ status: 409, body: { code: "fenced" } });
    expect(await post("/ingress", batch({ 1: second.fence }))).toMatchObject({ status: 409 });
    expect(app.ingested).toHaveLength(before);
    expect((await post("/ingress", batch({ 0: second.fence }))).status).toBe(200);
  });

  it("N2 are shared by all processes of the API", async () => {
    const state = createKeptState();
    await app.close();
    app = await startApp({ clock }, { state });
    await wants(FIRST);
    await app.close();
    app = await startApp({ clock }, { state });
    expect(await wants(SECOND)).toMatchObject({ status: "taken" });
  });

  it.each([
    ["a body that is not JSON", "{", "invalid_json"],
    ["a request without holder", "{}", "invalid_lease_request"],
    ["a time below the limit", JSON.stringify({ holder: FIRST, ttlMs: 1 }), "invalid_lease_request"],
  ])("refuse %s with 400", async (_what, body, code) => {
    expect(await post("/shard-leases", body)).toMatchObject({ status: 400, body: { code } });
  });

  it("refuse whoever does not sign", async () => {
    const headers = { "x-hookline-ingress-signature": "v1=00" };
    expect((await post("/shard-leases", "{}", headers)).status).toBe(401);
  });
});

describe("a packed batch", () => {
  const packed = { "content-encoding": "gzip" };

  it("is verified as it came, and unpacked then", async () => {
    expect((await post("/ingress", gzipSync(batch()), packed)).status).toBe(200);
    expect(app.ingested).toHaveLength(1);
    const headers = { ...packed, "x-hookline-ingress-signature": `v1=${"0".repeat(64)}` };
    expect((await post("/ingress", "no gzip at all", headers)).status).toBe(401);
  });

  it.each([
    ["is not gzip", { body: Buffer.from("no gzip at all") }, { status: 400, code: "invalid_encoding" }],
    [
      "ends too early",
      { body: gzipSync("x".repeat(10_000)).subarray(0, 30) },
      { status: 400, code: "invalid_encoding" },
    ],
    [
      "is packed otherwise",
      { body: gzipSync("{}"), encoding: "br" },
      { status: 415, code: "unsupported_content_encoding" },
    ],
    [
      "is larger than the limit",
      { body: gzipSync(Buffer.alloc(INGRESS_LIMITS.maxBodyBytes + 1)) },
      { status: 413, code: "body_too_large" },
    ],
  ])(
    "is refused when it %s",
    async (_what, { body, encoding = "gzip" }: { body: Buffer; encoding?: string }, answer) => {
      const { status, code } = answer;
      expect(await post("/ingress", body, { "content-encoding": encoding })).toMatchObject({ status, body: { code } });
    },
  );
});
