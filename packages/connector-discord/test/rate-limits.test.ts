import { createVirtualClock } from "@hookline/dispatcher/testing";
import { describe, expect, it } from "vitest";
import { createDiscordRateLimits, type DiscordRateLimitsOptions, type LimitedRequest } from "../src/index.js";
import { createRecordingLogger } from "./gateway/support/recording-logger.js";

const POST: LimitedRequest = { method: "POST", path: "/channels/300/messages", authorization: "Bot one" };

/** Limits with a clock of their own, and a short way to ask them. */
function limits(options: DiscordRateLimitsOptions = {}) {
  const clock = createVirtualClock();
  const rateLimits = createDiscordRateLimits({ clock, ...options });
  let ids = 0;
  return {
    clock,
    async send(request: LimitedRequest, maxWaitMs = 0) {
      const asked = { ...request, id: `request ${++ids}` };
      const place = await rateLimits.take(asked, { maxWaitMs });
      return {
        place,
        answer: (status: number, headers: Record<string, string | number> = {}, body: unknown = null) =>
          rateLimits.settle(asked, {
            status,
            header: (name) => (headers[name] === undefined ? null : String(headers[name])),
            body,
          }),
        getsNoAnswer: () => rateLimits.settle(asked, null),
      };
    },
  };
}

const told = (limit: number, remaining: number, resetAfter: number) => ({
  "x-ratelimit-limit": limit,
  "x-ratelimit-remaining": remaining,
  "x-ratelimit-reset-after": resetAfter,
  "x-ratelimit-bucket": "abc",
});
const ok = { ok: true };
const waits = (waitMs: number) => ({ ok: false, reason: "rate_limited", waitMs });

describe("createDiscordRateLimits", () => {
  it("N8 sends one request to learn a limit, then as many as it allows until it is renewed", async () => {
    const { clock, send } = limits();
    const first = await send(POST);
    expect(first.place).toEqual(ok);
    expect((await send(POST)).place).toMatchObject({ ok: false, reason: "rate_limited" });
    first.answer(200, told(3, 2, 5));
    expect((await send(POST)).place).toEqual(ok);
    expect((await send(POST)).place).toEqual(ok);
    expect((await send(POST)).place).toEqual(waits(5_000));
    clock.advance(5_000);
    // The two that were never answered still count.
    expect((await send(POST)).place).toEqual(ok);
    expect((await send(POST)).place).toMatchObject({ ok: false });
  });

  it("N8 sends those away who can't wait, each to a time of its own", async () => {
    const { send } = limits();
    (await send(POST)).answer(200, told(2, 0, 4));
    const times: number[] = [];
    for (let index = 0; index < 5; index += 1) {
      const { place } = await send(POST);
      if (!place.ok) times.push(place.waitMs);
    }
    expect(times).toEqual([4_000, 4_000, 8_000, 8_000, 12_000]);
  });

  it("N8 keeps channels, bots and routes apart, and routes together to which Discord gives one limit", async () => {
    const { send } = limits();
    (await send(POST)).answer(200, told(1, 0, 5));
    expect((await send({ ...POST, path: "/channels/301/messages" })).place).toEqual(ok);
    expect((await send({ ...POST, authorization: "Bot two" })).place).toEqual(ok);
    const edit = { ...POST, method: "PATCH", path: "/channels/300/messages/1" };
    (await send(edit)).answer(200, told(1, 0, 5));
    expect((await send({ ...edit, path: "/channels/300/messages/2" })).place).toEqual(waits(5_000));
    const react = { ...POST, method: "PUT", path: "/channels/302/messages/1/reactions/a/@me" };
    (await send(react)).answer(204, { ...told(1, 0, 1), "x-ratelimit-bucket": "shared" });
    const pin = { ...POST, method: "PUT", path: "/channels/302/pins/1" };
    (await send({ ...pin, path: "/channels/303/pins/1" })).answer(204, {
      ...told(1, 0, 1),
      "x-ratelimit-bucket": "shared",
    });
    expect((await send(pin)).place).toEqual(waits(1_000));
  });

  it("N8 waits for a place as long as it may, and gives it up with the signal", async () => {
    const { clock, send } = limits();
    (await send(POST)).answer(200, told(1, 0, 2));
    const waiting = send(POST, 3_000);
    await expect.poll(() => clock.nextTimerAtMs).not.toBeNull();
    clock.advance(2_000);
    expect((await waiting).place).toEqual(ok);

    const rateLimits = createDiscordRateLimits({ clock });
    await rateLimits.take({ ...POST, id: "1" }, { maxWaitMs: 0 });
    const stop = new AbortController();
    const given = rateLimits.take({ ...POST, id: "2" }, { maxWaitMs: 60_000, signal: stop.signal });
    stop.abort(new Error("no more"));
    await expect(given).rejects.toThrow("no more");
  });

  it("N8 holds all requests of a bot back for a global limit, and of an address for one that is not Discord's", async () => {
    const { clock, send } = limits();
    (await send(POST)).answer(
      429,
      { "x-ratelimit-global": "true", "retry-after": 3 },
      { retry_after: 2.5, global: true },
    );
    const other = { ...POST, method: "GET", path: "/users/@me" };
    expect((await send(other)).place).toEqual(waits(3_000));
    expect((await send({ ...other, authorization: "Bot two" })).place).toEqual(ok);
    clock.advance(3_000);
    const page = await send(other);
    expect(page.place).toEqual(ok);
    page.answer(429, { "retry-after": 60 }, null);
    expect((await send(POST)).place).toEqual(waits(60_000));
  });

  it("N8 sends no more of one bot in a second than the global limit, webhooks apart", async () => {
    const { clock, send } = limits({ globalPerSecond: 3 });
    const channel = (id: number) => ({ ...POST, path: `/channels/${id}/messages` });
    for (const id of [1, 2, 3]) expect((await send(channel(id))).place).toEqual(ok);
    expect((await send(channel(4))).place).toEqual(waits(1_000));
    expect((await send({ method: "POST", path: "/webhooks/1/token" })).place).toEqual(ok);
    clock.advance(1_000);
    expect((await send(channel(4))).place).toEqual(ok);
  });

  it("N8 obeys the 429 of one route without holding up others", async () => {
    const { clock, send } = limits();
    (await send(POST)).answer(429, { "x-ratelimit-scope": "shared" }, { retry_after: 1.2 });
    expect((await send(POST)).place).toEqual(waits(1_200));
    expect((await send({ ...POST, path: "/channels/301/messages" })).place).toEqual(ok);
    clock.advance(1_200);
    expect((await send(POST)).place).toEqual(ok);
  });

  it("N8 does not limit what Discord tells no limit of, and forgets a request that never came back", async () => {
    const { clock, send } = limits();
    const get = { method: "GET", path: "/gateway" };
    (await send(get)).answer(200);
    for (let index = 0; index < 20; index += 1) expect((await send(get)).place).toEqual(ok);

    await send(POST);
    expect((await send(POST)).place).toMatchObject({ ok: false });
    clock.advance(30_000);
    const again = await send(POST);
    expect(again.place).toEqual(ok);
    again.getsNoAnswer();
    expect((await send(POST)).place).toEqual(ok);
  });

  it("N8 stops before the ban, says so once, and goes on when ten minutes have passed", async () => {
    const logger = createRecordingLogger();
    const { clock, send } = limits({ maxInvalidRequests: 3, logger });
    const channel = (id: number) => ({ ...POST, path: `/channels/${id}/messages` });
    (await send(channel(1))).answer(401);
    (await send(channel(2))).answer(429, { "x-ratelimit-scope": "shared" }, { retry_after: 0 });
    (await send(channel(3))).answer(404);
    (await send(channel(4))).answer(403);
    clock.advance(60_000);
    (await send(channel(5))).answer(429, { "x-ratelimit-scope": "user" }, { retry_after: 0 });
    const stopped = await send(channel(6), 60_000);
    expect(stopped.place).toMatchObject({ ok: false, reason: "too_many_invalid_requests" });
    expect((await send({ method: "POST", path: "/webhooks/1/token" })).place).toMatchObject({ ok: false });
    expect(logger.lines.filter(({ message }) => message.includes("would ban this address"))).toHaveLength(1);
    if (!stopped.place.ok) clock.advance(stopped.place.waitMs);
    expect((await send(channel(6))).place).toEqual(ok);
    expect(logger.lines.at(-1)?.message).toContain("go on");
  });

  it("refuses options that mean nothing", () => {
    for (const options of [{ globalPerSecond: 0 }, { maxInvalidRequests: 1.5 }]) {
      expect(() => createDiscordRateLimits(options)).toThrow(expect.objectContaining({ code: "invalid_option" }));
    }
  });
});
