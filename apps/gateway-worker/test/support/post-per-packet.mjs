// The usual way, to compare with: each packet goes to the API at once, and nobody looks what becomes of it.
import { createHmac } from "node:crypto";
import { REST } from "@discordjs/rest";
import { WebSocketManager } from "@discordjs/ws";

const { DISCORD_BOT_TOKEN: token, DISCORD_API_BASE_URL: api, INGRESS_URL: url, INGRESS_SECRET: secret } = process.env;
const GUILDS_AND_MESSAGES = 1 | (1 << 9) | (1 << 15);

const rest = new REST({ version: "10", api }).setToken(token);
const manager = new WebSocketManager({ token, intents: GUILDS_AND_MESSAGES, rest });
let sessionId = "none";

manager.on("ready", (data) => {
  sessionId = data.session_id;
  console.log("Connected to Discord");
});
manager.on("dispatch", ({ t: type, s: seq, d }, shard) => {
  if (type === "MESSAGE_CREATE") forward({ sessionId, shard, seq, type, d });
});
manager.on("error", () => {});
process.on("SIGTERM", () => manager.destroy().finally(() => process.exit(0)));
await manager.connect();

function forward(packet) {
  const key = `${packet.sessionId}:${packet.shard}:${packet.seq}`;
  const body = JSON.stringify({ items: [{ key, receivedAt: new Date().toISOString(), ...packet }] });
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex");
  const headers = {
    "content-type": "application/json",
    "x-hookline-ingress-timestamp": timestamp,
    "x-hookline-ingress-signature": `v1=${signature}`,
  };
  fetch(url, { method: "POST", headers, body })
    .then((response) => response.text())
    .catch(() => {});
}
