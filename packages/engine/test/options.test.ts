import { randomBytes } from "node:crypto";
import type { EventLog, Outbox } from "@hookline/core";
import type { Database } from "@hookline/postgres";
import { expect, it } from "vitest";
import { createApp, createColdConnect, createEngine } from "../src/index.js";
import { discordConnector } from "./support/world.js";

// None of these is reached: options are checked first.
const unreached = { database: {} as Database, outbox: {} as Outbox, eventLog: {} as EventLog };
const engineOptions = { ...unreached, encryptionKey: randomBytes(32).toString("base64") };
const coldConnectOptions = {
  ...unreached,
  connectorId: "discord",
  identityKind: "discord",
  platformKey: (id: string) => id,
  linkedEvent: "discord.linked",
  identifyPropKey: "discord_id",
  buildIngest: () => ({}),
  branding: { productName: "Acme", platformName: "Discord" },
  afterBind: async () => {},
};

it.each([
  ["a schema that is no name", { schema: 'x"; drop schema public; --' }],
  ["two connectors of one id", { connectors: [discordConnector(), discordConnector()] }],
  ["a kind of identity that is no name", { connectors: [discordConnector({ identityKinds: ["Discord ID"] })] }],
])("createEngine refuses %s", (_what, options) => {
  expect(() => createEngine({ ...engineOptions, ...options })).toThrow(
    expect.objectContaining({ name: "EngineError", code: "invalid_options" }),
  );
});

it("createEngine refuses an encryption key that is none", () => {
  for (const encryptionKey of ["", "short", [], randomBytes(16).toString("base64")]) {
    expect(() => createEngine({ ...engineOptions, encryptionKey })).toThrow(
      expect.objectContaining({ name: "DatabaseError", code: "invalid_key" }),
    );
  }
});

it.each([
  ["a connector id that is no path", { connectorId: "../x" }],
  ["a colour that could carry CSS", { branding: { ...coldConnectOptions.branding, accentColor: "red;} body{" } }],
  ["a link that never works", { ttlSeconds: 0 }],
  ["a throttle without a limit", { throttle: { maxPerUser: Number.POSITIVE_INFINITY } }],
  ["a kind of identity that is no name", { identityKind: "Discord ID" }],
])("createColdConnect refuses %s", (_what, options) => {
  expect(() => createColdConnect({ ...coldConnectOptions, ...options })).toThrow(
    expect.objectContaining({ name: "EngineError", code: "invalid_options" }),
  );
});

it.each([-1, 0.5, Number.NaN])("createApp refuses to trust %d proxies", (trustProxy) => {
  expect(() => createApp(createEngine(engineOptions), { trustProxy })).toThrow(
    expect.objectContaining({ name: "EngineError", code: "invalid_options" }),
  );
});
