// One way from Discord's Gateway to the API, in a process of its own.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { REST } from "@discordjs/rest";
import { WebSocketManager } from "@discordjs/ws";
import { DISCORD_INTENTS, ingressScheme } from "@hookline/connector-discord";
import { createDiscordGatewayWorker } from "@hookline/connector-discord/gateway";
import { sign } from "@hookline/webhook-signing";
import { Client, Events } from "discord.js";
import { serveCalls } from "../deliveries/program.mjs";

let stop;
let seen = 0;
/** What nobody would be told: a POST that failed, such as on a connection that the other side had just closed. */
let lost = 0;

/** Spool, batches, lanes, retries: the worker with its options as they come. */
async function hookline({ apiUrl, botToken, ingressUrl, secret }) {
  const spoolDirectory = mkdtempSync(join(tmpdir(), "hookline-bench-spool-"));
  const worker = createDiscordGatewayWorker({
    botToken,
    apiPublicUrl: ingressUrl,
    ingressSecret: secret,
    restBaseUrl: apiUrl,
    spoolDirectory,
  });
  await worker.start();
  return async () => {
    await worker.stop();
    rmSync(spoolDirectory, { recursive: true });
  };
}

/** Each packet at once, and nobody waits for the answer. */
async function postPerPacket({ apiUrl, botToken, ingressUrl, secret }) {
  const rest = new REST({ version: "10", api: apiUrl }).setToken(botToken);
  const manager = new WebSocketManager({ token: botToken, intents: DISCORD_INTENTS, rest });
  manager.on("dispatch", ({ t: type, s: seq, d }, shard) => {
    if (type !== "MESSAGE_CREATE") return;
    const item = { key: `session:${shard}:${seq}`, sessionId: "session", shard, seq, type, d };
    const body = JSON.stringify({ items: [{ ...item, receivedAt: new Date().toISOString() }] });
    const signed = sign(body, { scheme: ingressScheme, secrets: [secret], timestamp: Math.floor(Date.now() / 1000) });
    fetch(`${ingressUrl}/v1/connectors/discord/ingress`, {
      method: "POST",
      headers: { "content-type": "application/json", ...signed },
      body,
    })
      .then((response) => response.text())
      .catch(() => {
        lost += 1;
      });
  });
  await manager.connect();
  return () => manager.destroy();
}

/** Only receives: what the full client costs before anything is forwarded. */
async function discordJsClient({ apiUrl, botToken }) {
  const client = new Client({ intents: DISCORD_INTENTS, rest: { api: apiUrl } });
  client.on(Events.MessageCreate, () => {
    seen += 1;
  });
  const ready = new Promise((resolve) => client.once(Events.ClientReady, resolve));
  await client.login(botToken);
  await ready;
  return () => client.destroy();
}

const WAYS = { hookline, postPerPacket, discordJsClient };

serveCalls({
  async open({ way, ...options }) {
    stop = await WAYS[way](options);
  },
  seen: () => seen,
  lost: () => lost,
  usage() {
    const { user, system } = process.cpuUsage();
    return { cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() };
  },
  close: () => stop(),
});
