// Answers interactions over HTTP: by the connector in an app of the engine on PGlite, or by a route that does nothing but
// verify the signature.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve } from "@hono/node-server";
import { createDiscordConnector, defineCommand, reply } from "@hookline/connector-discord";
import { createDispatcher } from "@hookline/dispatcher";
import { createApp, createEngine } from "@hookline/engine";
import { openDatabase } from "@hookline/postgres";
import { discord, verify } from "@hookline/webhook-signing";
import { Hono } from "hono";
import { serveCalls } from "../deliveries/program.mjs";

const ANSWER = "Here I am.";

let server;
let closeApp = async () => {};

serveCalls({
  /** Answers where interactions go. */
  async open({ kind, publicKeyHex }) {
    const { app, path } = kind === "bare" ? openBare(publicKeyHex) : await openHookline(publicKeyHex);
    server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" });
    if (!server.listening) await once(server, "listening");
    return { origin: `http://127.0.0.1:${server.address().port}`, path };
  },
  async close() {
    server.close();
    server.closeAllConnections();
    await closeApp();
  },
});

function openBare(publicKeyHex) {
  const path = "/interactions";
  const app = new Hono().post(path, async (c) => {
    const body = new Uint8Array(await c.req.arrayBuffer());
    const { token } = verify(body, c.req.raw.headers, { scheme: discord, secrets: [publicKeyHex] }).json();
    return token === undefined ? c.body(null, 400) : c.json({ type: 4, data: { content: ANSWER } });
  });
  return { app, path };
}

async function openHookline(publicKeyHex) {
  const directory = await mkdtemp(join(tmpdir(), "hookline-bench-"));
  const database = await openDatabase(`pglite://${directory}`);
  const encryptionKey = randomBytes(32).toString("base64");
  const dispatcher = createDispatcher({ database, encryptionKey });
  const connector = createDiscordConnector({
    applicationId: "100000000000000001",
    clientSecret: "none",
    publicKeyHex,
    ingressSecrets: [randomBytes(32).toString("hex")],
    componentSecret: randomBytes(32).toString("hex"),
    redirectUri: "http://127.0.0.1/v1/connectors/discord/oauth/callback",
    studioIntegrationsUrl: "http://127.0.0.1/studio",
    saveDerived: async () => {},
    resolveContact: async () => {},
    requestConfirm: async () => ({ ok: false, reason: "unavailable" }),
    commands: [
      defineCommand({
        name: "ping",
        description: "Answers",
        answer: "immediate",
        run: () => reply({ content: ANSWER }),
      }),
    ],
  });
  const eventLog = dispatcher.events;
  const engine = createEngine({ database, outbox: dispatcher, eventLog, connectors: [connector], encryptionKey });
  await dispatcher.migrate();
  await engine.migrate();
  await dispatcher.start();
  closeApp = async () => {
    await engine.close();
    await dispatcher.stop();
    await database.close();
    await rm(directory, { recursive: true, force: true });
  };
  return { app: createApp(engine, {}), path: `/v1/connectors/${connector.id}/interactions` };
}
