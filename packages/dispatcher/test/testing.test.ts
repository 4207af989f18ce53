import { sign, standardWebhooks } from "@hookline/webhook-signing";
import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../src/testing.js";
import { openReceiver } from "./open-dispatcher.js";

describe("virtual clock", () => {
  it("calls timers in order, each at its own time, and those that they set on the way", () => {
    const clock = createVirtualClock(1_000);
    const calls: [string, number][] = [];
    const note = (name: string) => () => void calls.push([name, clock.now()]);
    clock.setTimer(note("late"), 500);
    clock.setTimer(() => clock.setTimer(note("nested"), 50), 100);
    const cancel = clock.setTimer(note("never"), 200);
    cancel();
    expect(clock.nextTimerAtMs).toBe(1_100);
    clock.advance(499);
    expect(calls).toEqual([["nested", 1_150]]);
    clock.advanceTo(new Date(1_500));
    clock.advanceTo(1_200);
    expect(calls).toEqual([
      ["nested", 1_150],
      ["late", 1_500],
    ]);
    expect([clock.now(), clock.nextTimerAtMs]).toEqual([1_500, null]);
  });
});

describe("receiver", () => {
  const secret = `whsec_${Buffer.alloc(32, 3).toString("base64")}`;

  it("records what it gets and says whether it verifies", async () => {
    const receiver = await openReceiver({
      secret,
      answer: ({ path }) => ({ status: path.endsWith("?a=1") ? 202 : 500 }),
    });
    const body = '{"n":1}';
    const headers = sign(body, {
      scheme: standardWebhooks,
      secrets: [secret],
      id: "msg_1",
      timestamp: Math.floor(Date.now() / 1000),
    });
    const good = await fetch(`${receiver.url}?a=1`, { method: "POST", body, headers });
    const bad = await fetch(receiver.url, { method: "POST", body: "{}", headers });
    expect([good.status, bad.status]).toEqual([202, 500]);
    const [first, second] = await receiver.waitFor(2);
    expect(first).toMatchObject({
      method: "POST",
      path: "/webhooks?a=1",
      body,
      verified: true,
      verificationError: null,
    });
    expect(first?.json()).toEqual({ n: 1 });
    expect(second).toMatchObject({ verified: false, verificationError: expect.any(String) });
  });

  it("waits for no more requests than its time limit allows", async () => {
    const receiver = await openReceiver();
    await expect(receiver.waitFor(1, 20)).rejects.toThrow("0 of 1 requests came within 20 ms.");
  });
});
