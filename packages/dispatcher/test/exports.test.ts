import type { EventLog, Outbox } from "@hookline/core";
import { expect, expectTypeOf, it } from "vitest";
import * as main from "../src/index.js";
import * as testing from "../src/testing.js";

it("exports these names and no others", () => {
  expect(Object.keys(main)).toMatchInlineSnapshot(`
    [
      "createDispatcher",
      "DispatcherError",
      "isDispatcherError",
      "OPERATIONAL_EVENTS",
      "RETRY_SCHEDULE",
    ]
  `);
  expect(Object.keys(testing)).toMatchInlineSnapshot(`
    [
      "createReceiver",
      "signedRequest",
      "createVirtualClock",
    ]
  `);
});

it("implements the ports of core", () => {
  expectTypeOf<main.Dispatcher>().toExtend<Outbox>();
  expectTypeOf<main.Dispatcher["events"]>().toExtend<EventLog>();
});
