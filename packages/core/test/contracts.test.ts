import { describe, expect, expectTypeOf, it, vi } from "vitest";
import { z } from "zod";
import {
  defineDestination,
  defineEvent,
  defineSource,
  isErrorNamed,
  problemResponse,
  type Source,
  silentLogger,
  systemClock,
} from "../src/index.js";

describe("defineEvent", () => {
  it("takes any Standard Schema, here zod, and types the example by it", () => {
    const ticket = defineEvent({
      type: "ticket.created",
      schema: z.object({ number: z.string() }),
      description: "A ticket was opened.",
      example: { number: "TKT-2026-001" },
    });
    expectTypeOf(ticket.type).toEqualTypeOf<"ticket.created">();
    expectTypeOf(ticket.example).toEqualTypeOf<{ number: string }>();
    expect(ticket.schema["~standard"].validate({ number: 1 })).toHaveProperty("issues");
  });
});

describe("defineDestination", () => {
  it("keeps what it was given, typed by target and state", () => {
    const destination = defineDestination<{ url: string }, { messageId: string }>({
      id: "test",
      plan: (_event, { endpoint, state }) => ({
        kind: "request",
        request: { method: state ? "PATCH" : "POST", url: endpoint.target.url, headers: {}, body: "" },
      }),
    });
    expect(destination.id).toBe("test");
  });
});

describe("defineSource", () => {
  const schema = z.object({ number: z.string(), at: z.coerce.date() });

  it("types transform by the schema, and a list holds sources of different bodies and one kind of scheme", () => {
    const open = defineSource({
      id: "open",
      path: "/hooks/open",
      open: true,
      schema,
      transform(body) {
        expectTypeOf(body).toEqualTypeOf<{ number: string; at: Date }>();
        return [{ type: "order.placed", idempotencyKey: body.number, data: {} }];
      },
    });
    const signed = defineSource({
      id: "signed",
      path: "/hooks/signed",
      scheme: { name: "acme" },
      secrets: ["secret"],
      schema: z.string(),
      transform: (email, { receivedAt: timestamp, bodyHash: idempotencyKey }) => [
        { type: "seen", timestamp, idempotencyKey, identities: [{ kind: "email", value: email }], data: {} },
      ],
    });
    const sources: readonly Source<unknown, { name: string }>[] = [open, signed];
    expect(sources.map(({ id }) => id)).toEqual(["open", "signed"]);
    // @ts-expect-error an event of a source has a key
    defineSource({ ...open, transform: () => [{ type: "order.placed", data: {} }] });
    // @ts-expect-error only schemes of that kind
    const others: readonly Source<unknown, { algorithm: string }>[] = [signed];
    expect(others).toHaveLength(1);
  });
});

describe("isErrorNamed", () => {
  class SomeError extends Error {
    override readonly name = "SomeError";
    readonly code = "broken";
  }

  it("tells an error by its name, also one of another copy of the class", () => {
    const fromAnotherCopy = Object.assign(new Error("x"), { name: "SomeError", code: "broken" });
    expect(isErrorNamed(new SomeError(), "SomeError")).toBe(true);
    expect(isErrorNamed(fromAnotherCopy, "SomeError")).toBe(true);
  });

  it("refuses other errors, errors without a code, and what is no error", () => {
    expect(isErrorNamed(new SomeError(), "OtherError")).toBe(false);
    expect(isErrorNamed(Object.assign(new Error("x"), { name: "SomeError" }), "SomeError")).toBe(false);
    expect(isErrorNamed({ name: "SomeError", code: "broken" }, "SomeError")).toBe(false);
  });
});

describe("problemResponse", () => {
  it("answers problem details with the code for programs and the detail for people", async () => {
    const response = problemResponse({
      status: 400,
      code: "validation_failed",
      detail: "The URL is none.",
      errors: [{ pointer: "/body/url", message: "is a URL" }],
    });
    expect(response.status).toBe(400);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await response.json()).toEqual({
      type: "about:blank",
      title: "Bad Request",
      status: 400,
      code: "validation_failed",
      detail: "The URL is none.",
      errors: [{ pointer: "/body/url", message: "is a URL" }],
    });
  });
});

describe("the defaults", () => {
  it("take the machine's time, and timers that can be cancelled", async () => {
    const called: string[] = [];
    const cancel = systemClock.setTimer(() => called.push("cancelled"), 1);
    cancel();
    await new Promise<void>((resolve) => {
      systemClock.setTimer(() => {
        called.push("kept");
        resolve();
      }, 5);
      // A timer of the clock does not keep the process alive; this one does until then.
      setTimeout(() => {}, 1_000).unref();
      const hold = setInterval(() => called.length > 0 && clearInterval(hold), 5);
    });
    expect(called).toEqual(["kept"]);
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1_000);
  });

  it("have timers that are never early, though Node's are by a millisecond, and end when the clock is turned back", () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const now = vi.spyOn(Date, "now").mockReturnValue(1_000);
    try {
      const called: string[] = [];
      const timer = (name: string) => systemClock.setTimer(() => called.push(name), 50);
      timer("early");
      const cancel = timer("cancelled");
      now.mockReturnValue(1_049);
      vi.advanceTimersByTime(50);
      expect(called).toEqual([]);
      cancel();
      now.mockReturnValue(1_050);
      vi.advanceTimersByTime(1);
      expect(called).toEqual(["early"]);
      timer("turned back");
      now.mockReturnValue(500);
      vi.advanceTimersByTime(50);
      expect(called).toEqual(["early", "turned back"]);
    } finally {
      now.mockRestore();
      vi.useRealTimers();
    }
  });

  it("log nothing", () => {
    for (const level of ["debug", "info", "warn", "error"] as const)
      expect(silentLogger[level]({}, "x")).toBeUndefined();
  });
});
