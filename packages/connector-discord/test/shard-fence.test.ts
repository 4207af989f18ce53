import { type Clock, systemClock } from "@hookline/core";
import { describeMatrix, type TestDatabase } from "@hookline/postgres/testing";
import { sign } from "@hookline/webhook-signing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ingressScheme } from "../src/index.js";
import type { LeaseRequest } from "../src/lease-contract.js";
import { startApiOn } from "./gateway/support/engine-api.js";
import { waitUntil } from "./gateway/support/wait-until.js";
import { CHANNEL_ID, GUILD_ID, snowflake } from "./support/app.js";
import type { Json } from "./support/json.js";

const TTL_MS = 10_000;
const FIRST = "first-worker-of-several";
const SECOND = "second-worker-of-several";

let nowMs = Date.now();
const clock: Clock = { ...systemClock, now: () => nowMs };

/** A batch asks for its tenant after the check at its arrival, and before it is stored. */
let whenArrived = async () => {};
const resolveTenant = async () => {
  await whenArrived();
  return "default";
};

describe("the fence of a shard's lease", () => {
  describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
    let opened: TestDatabase;
    let api: Awaited<ReturnType<typeof startApiOn>>;
    beforeAll(async () => {
      opened = await databases.open();
      api = await startApiOn({ ...opened, clock, resolveTenant });
    });
    afterAll(() => api?.close());

    async function post(path: string, content: object) {
      const body = JSON.stringify(content);
      const timestamp = Math.floor(nowMs / 1000);
      const signature = sign(body, { scheme: ingressScheme, secrets: [api.secret], timestamp });
      const headers = { "content-type": "application/json", ...signature };
      const response = await fetch(`${api.url}/v1/connectors/discord${path}`, { method: "POST", headers, body });
      return { status: response.status, body: (await response.json()) as Json };
    }

    /** A shard that the first worker holds, and of which nothing is stored. */
    async function leaseShard(shard: number) {
      whenArrived = async () => {};
      const before = (await api.texts()).length;
      const ask = async (request: Partial<LeaseRequest>) => {
        const whole = { holder: FIRST, ttlMs: TTL_MS, held: [], released: [], wanted: [], limit: 10, ...request };
        return (await post("/shard-leases", whole)).body.leases[0];
      };
      const item = <Payload extends object>(seq: number, type: string, d: Payload) => {
        const receivedAt = new Date(nowMs).toISOString();
        return { key: `session:${shard}:${seq}`, sessionId: "session", shard, seq, type, receivedAt, d };
      };
      const { fence } = await ask({ wanted: [shard] });
      return {
        ask,
        fence,
        texts: async () => (await api.texts()).slice(before),
        batch: (under: number, items: readonly object[]) => post("/ingress", { fences: { [shard]: under }, items }),
        async takeOver() {
          nowMs += TTL_MS;
          return ask({ holder: SECOND, wanted: [shard] });
        },
        /** Of a person who says nothing else, so that no two wait for one contact. */
        message: (seq: number) =>
          item(seq, "MESSAGE_CREATE", {
            id: snowflake(),
            channel_id: CHANNEL_ID,
            guild_id: GUILD_ID,
            content: String(seq),
            author: { id: snowflake() },
          }),
        gap: (seq: number) =>
          item(seq, "HOOKLINE_GAP", {
            from: new Date(0).toISOString(),
            to: new Date(1).toISOString(),
            reason: "session_invalid",
            guildIds: [GUILD_ID],
          }),
      };
    }

    it.each([
      { kind: "message", shard: 0 },
      { kind: "gap", shard: 1 },
    ] as const)(
      "N2 keeps out a $kind that arrived before its shard changed hands, and would be stored after",
      async ({ kind, shard }) => {
        const lease = await leaseShard(shard);
        let second: Json = null;
        whenArrived = async () => {
          second ??= await lease.takeOver();
        };
        const answer = await lease.batch(lease.fence, [lease[kind](1)]);
        expect(answer).toMatchObject({ status: 409, body: { code: "fenced" } });
        expect(second).toMatchObject({ status: "held" });
        expect([await lease.texts(), await api.gaps()]).toEqual([[], 0]);
      },
    );

    it("N2 stores nothing under a fence any more once another worker has been told that it holds the shard", async () => {
      const { batch, fence, message, takeOver, texts } = await leaseShard(2);
      const messages = Array.from({ length: 24 }, (_, index) => message(index + 1));
      let arrived = 0;
      let open = () => {};
      const gate = new Promise<void>((resolve) => {
        open = resolve;
      });
      whenArrived = () => {
        arrived += 1;
        return gate;
      };
      const answers = Promise.all(messages.map((one) => batch(fence, [one])));
      await waitUntil("all batches", () => arrived === messages.length);
      open();
      const second = await takeOver();
      const stored = await texts();
      const statuses = (await answers).map(({ status }) => status);
      expect(statuses.filter((status) => status === 200)).toHaveLength(stored.length);
      expect(statuses.filter((status) => status === 409)).toHaveLength(messages.length - stored.length);
      expect(await texts()).toEqual(stored);
      expect((await batch(second.fence, messages)).status).toBe(200);
      expect([...(await texts())].sort()).toEqual(messages.map(({ d }) => d.content).sort());
    });

    // PGlite has one connection: nobody waits there.
    if (databases.kind !== "postgres") return;
    it("N2 has whoever takes a shard over wait for what is being stored, and not whoever prolongs its lease", async () => {
      const { ask, batch, fence, message, takeOver, texts } = await leaseShard(3);
      const ended: string[] = [];
      const running: Promise<unknown>[] = [];
      await opened.database.transaction(async (tx) => {
        const somebodyWaits = (kind: string) =>
          waitUntil(`somebody who waits for a lock (${kind})`, async () => {
            const waiting = await tx.query(
              `select 1 as found from pg_locks
               where not granted and locktype = $1
                 and database = (select oid from pg_database where datname = current_database())`,
              [kind],
            );
            return waiting.length > 0;
          });
        await tx.query(`lock table "${opened.schema}".contacts in exclusive mode`);
        running.push(batch(fence, [message(1)]).then(({ status }) => ended.push(`batch ${status}`)));
        await somebodyWaits("relation");
        expect(await ask({ held: [{ shard: 3, fence, session: null }] })).toMatchObject({ status: "held" });
        running.push(takeOver().then(({ status }) => ended.push(`take-over ${status}`)));
        await somebodyWaits("advisory");
        expect(ended).toEqual([]);
      });
      await Promise.all(running);
      // Both go on with the batch's commit: which answer arrives first says nothing.
      expect(ended.sort()).toEqual(["batch 200", "take-over held"]);
      expect(await texts()).toEqual(["1"]);
    });
  });
});
