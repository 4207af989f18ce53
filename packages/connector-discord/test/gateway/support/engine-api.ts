import { randomBytes } from "node:crypto";
import { type Clock, systemClock } from "@hookline/core";
import { createDispatcher } from "@hookline/dispatcher";
import { createApp, createEngine } from "@hookline/engine";
import type { Database } from "@hookline/postgres";
import { openTestPglite } from "@hookline/postgres/testing";
import { onTestFinished } from "vitest";
import { createDiscordConnector, type DiscordConnectorOptions } from "../../../src/index.js";
import { serve } from "../../support/serve.js";
import { INGRESS_SECRET } from "./ingress-server.js";
import type { LeasingApi } from "./leasing-api.js";

/** {@link startApiOn} a database of its own. */
export async function startEngineApi(): Promise<LeasingApi> {
  const database = await openTestPglite();
  const api = await startApiOn({ database, schema: "hookline" });
  onTestFinished(async () => {
    await api.close();
    await database.close();
  });
  return api;
}

interface EngineApi extends LeasingApi {
  close(): Promise<void>;
}

interface ApiParts {
  readonly database: Database;
  readonly schema: string;
  readonly clock?: Clock;
  readonly resolveTenant?: DiscordConnectorOptions["resolveTenant"];
}

/** The real API as far as the gateway worker needs it: engine and dispatcher on a database, over HTTP. */
export async function startApiOn({
  database,
  schema,
  clock = systemClock,
  resolveTenant,
}: ApiParts): Promise<EngineApi> {
  const encryptionKey = randomBytes(32).toString("base64");
  const dispatcher = createDispatcher({ database, schema, clock, encryptionKey, events: [] });
  const connector = createDiscordConnector({
    applicationId: "100000000000000001",
    clientSecret: "client-secret",
    publicKeyHex: "0".repeat(64),
    ingressSecrets: [INGRESS_SECRET],
    componentSecret: "component-secret-of-32-characters-or-more",
    redirectUri: "http://127.0.0.1/v1/connectors/discord/oauth/callback",
    studioIntegrationsUrl: "http://127.0.0.1/studio/integrations",
    saveDerived: async () => {},
    resolveContact: async () => {},
    requestConfirm: async () => ({ ok: true }),
    storeMessageText: true,
    clock,
    ...(resolveTenant ? { resolveTenant } : {}),
  });
  const engine = createEngine({
    database,
    schema,
    clock,
    encryptionKey,
    outbox: dispatcher,
    eventLog: dispatcher.events,
    connectors: [connector],
  });
  await dispatcher.migrate();
  await engine.migrate();
  const app = createApp(engine, {});
  const served = await serve((request) => app.fetch(request));
  async function list(type: string) {
    const all: { readonly id: string; readonly data: unknown }[] = [];
    let cursor: string | null = null;
    do {
      const query = { tenantId: "default", type, limit: 200, ...(cursor === null ? {} : { cursor }) };
      const page = await dispatcher.events.list(query);
      all.push(...page.events);
      cursor = page.nextCursor;
    } while (cursor !== null);
    return all.reverse();
  }

  return {
    url: served.url,
    secret: INGRESS_SECRET,
    texts: async () => (await list("discord.message_sent")).map(({ data }) => (data as { text: string }).text),
    gaps: async () => (await list("discord.gap")).length,
    async close() {
      await served.close();
      await engine.close();
      await dispatcher.stop();
    },
  };
}
