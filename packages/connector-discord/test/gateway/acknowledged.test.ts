import { describe, expect, test } from "vitest";
import { createAcknowledgedPositions } from "../../src/gateway/acknowledged.js";
import { toItemKey } from "../../src/gateway/item-key.js";
import type { SpoolEntry } from "../../src/gateway/spool-record.js";
import type { StoredSession } from "../../src/stored-session.js";

const session = (seq: number, sessionId = "old"): StoredSession => ({
  sessionId,
  resumeUrl: "wss://gateway.example",
  seq,
  shardCount: 1,
  intents: 513,
  lastSeenAtMs: 1,
});

let order = 0;
function packet(seq: number, sessionId = "old"): SpoolEntry & { readonly order: number } {
  order += 1;
  const key = toItemKey({ sessionId, shardId: 0, seq });
  return { lane: "guild", key, json: "{}", receivedAtMs: 1, order };
}

const empty = { sessions: new Map(), lastOrder: 0, items: 0 };

describe("what is handed over to another worker", () => {
  test("N2 is the position before the oldest packet that the API does not have", () => {
    const positions = createAcknowledgedPositions(empty);
    expect(positions.of(0)).toBeNull();
    positions.moved(0, session(3));
    const [five, seven] = [packet(5), packet(7)];
    positions.appended([five], { shardId: 0, session: session(5) });
    positions.appended([seven], { shardId: 0, session: session(7) });
    positions.moved(0, session(9));
    expect(positions.of(0)?.seq).toBe(3);
    // Of another guild, and faster.
    positions.settled([seven]);
    expect(positions.of(0)?.seq).toBe(3);
    positions.settled([five]);
    expect(positions.of(0)).toEqual(session(9));
  });

  test("N2 stays in the old session until the gap behind it was told", () => {
    const positions = createAcknowledgedPositions(empty);
    positions.moved(0, session(9));
    const gap = packet(0, "new");
    positions.appended([gap], { shardId: 0, session: session(1, "new") });
    positions.appended([packet(2, "new")], { shardId: 0, session: session(2, "new") });
    expect(positions.of(0)).toEqual(session(9));
    positions.settled([gap]);
    expect(positions.of(0)).toEqual(session(1, "new"));
  });

  test("N2 is not said while packets of an earlier process wait, or of a session that can't be told any more", () => {
    const left = packet(5);
    const positions = createAcknowledgedPositions({
      sessions: new Map([[0, session(5)]]),
      lastOrder: left.order,
      items: 1,
    });
    expect(positions.of(0)).toBeNull();
    positions.settled([left]);
    expect(positions.of(0)).toEqual(session(5));
    positions.appended([packet(6)], { shardId: 0, session: session(6) });
    positions.appended([packet(0, "new")], { shardId: 0, session: session(1, "new") });
    expect(positions.of(0)).toBeNull();
  });
});
