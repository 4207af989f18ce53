import type { SessionInfo } from "@discordjs/ws";
import { describe, expect, test } from "vitest";
import { createSessionMemory } from "../../src/gateway/session-memory.js";
import type { StoredSession } from "../../src/stored-session.js";

const stored: StoredSession = {
  sessionId: "abc",
  resumeUrl: "wss://resume.example",
  seq: 7,
  shardCount: 1,
  intents: 513,
  lastSeenAtMs: 1_000,
};

const live: SessionInfo = {
  sessionId: "abc",
  resumeURL: "wss://resume.example",
  sequence: 7,
  shardCount: 1,
  shardId: 0,
};

function memoryOf(session: StoredSession | null = stored, intents = 513) {
  return createSessionMemory({ stored: new Map(session ? [[0, session]] : []), intents });
}

function connect(memory: ReturnType<typeof memoryOf>): void {
  memory.retrieve(0);
  memory.onHello(0);
  memory.onPacket(0);
  memory.onCurrent(0);
}

describe("session memory", () => {
  test("N2 starts from the position that was safe on disk", () => {
    expect(memoryOf().retrieve(0)).toEqual(live);
    expect(memoryOf(null).retrieve(0)).toBeNull();
  });

  test("N2 keeps the session when the library gives up without a HELLO, as in an outage of seconds", () => {
    const memory = memoryOf();
    connect(memory);
    memory.onClosed(0, 1006);
    memory.retrieve(0);
    memory.onClosed(0, 1006);
    memory.update(0, null);
    expect(memory.retrieve(0)).toEqual(live);
  });

  test("N2 keeps the session after a close of a connection that worked, to try one RESUME", () => {
    const memory = memoryOf();
    connect(memory);
    memory.onClosed(0, 1000);
    memory.update(0, null);
    expect(memory.retrieve(0)).toEqual(live);
  });

  test("N2 keeps the session when the socket breaks between HELLO and the first packet", () => {
    const memory = memoryOf();
    memory.retrieve(0);
    memory.onHello(0);
    memory.onClosed(0, 1006);
    memory.update(0, null);
    expect(memory.retrieve(0)).toEqual(live);
  });

  test("drops the session when Discord closes before the first packet of a RESUME", () => {
    const memory = memoryOf();
    memory.retrieve(0);
    memory.onHello(0);
    memory.onClosed(0, 1000);
    memory.update(0, null);
    expect(memory.retrieve(0)).toBeNull();
    expect(memory.takeLost(0)).toEqual({ lastSeenAtMs: 1_000, reason: "close_1000" });
  });

  test("drops the session on INVALID_SESSION and tells once since when packets may be missing", () => {
    const memory = memoryOf();
    connect(memory);
    memory.onSeen(0, 5_000);
    memory.update(0, null);
    memory.onClosed(0, 1000);
    expect(memory.retrieve(0)).toBeNull();
    expect(memory.takeLost(0)).toEqual({ lastSeenAtMs: 5_000, reason: "session_invalid" });
    expect(memory.takeLost(0)).toBeNull();
  });

  test.each([4004, 4007, 4010, 4011, 4012, 4013, 4014])("drops the session after close %i", (code) => {
    const memory = memoryOf();
    connect(memory);
    memory.onClosed(0, code);
    memory.update(0, null);
    expect(memory.retrieve(0)).toBeNull();
    expect(memory.takeLost(0)?.reason).toBe(`close_${code}`);
  });

  test("does not resume a session that has other intents", () => {
    const memory = memoryOf(stored, 1);
    expect(memory.retrieve(0)).toBeNull();
    expect(memory.takeLost(0)).toEqual({ lastSeenAtMs: 1_000, reason: "intents_changed" });
  });

  test("reports the old session as lost when the library identifies instead of resuming", () => {
    const memory = memoryOf();
    connect(memory);
    memory.update(0, { ...live, sessionId: "def", shardCount: 2 });
    expect(memory.takeLost(0)?.reason).toBe("shard_count_changed");
  });

  test("does not call a moment complete while a replay is under way", () => {
    const memory = memoryOf();
    memory.retrieve(0);
    memory.onHello(0);
    memory.onPacket(0);
    memory.onSeen(0, 9_000);
    expect(memory.lastSeenAtMs(0)).toBe(1_000);
    memory.onCurrent(0);
    memory.onSeen(0, 9_500);
    expect(memory.lastSeenAtMs(0)).toBe(9_500);
  });

  test("counts connections that came to nothing, and forgets them with the first packet", () => {
    const memory = memoryOf();
    memory.retrieve(0);
    memory.onClosed(0, 1006);
    memory.onClosed(0, 1006);
    expect(memory.failures(0)).toBe(2);
    memory.onHello(0);
    memory.onPacket(0);
    expect(memory.failures(0)).toBe(0);
  });
});
