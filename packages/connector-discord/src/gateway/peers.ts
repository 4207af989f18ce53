import { GatewayWorkerError } from "./errors.js";

export type GatewayPeers = Awaited<ReturnType<typeof loadPeers>>;

/**
 * Loads the optional peers, here and nowhere else, so that a process without a worker never has a WebSocket client.
 *
 * @throws {GatewayWorkerError} `missing_peer`
 */
export async function loadPeers() {
  try {
    const [ws, rest] = await Promise.all([import("@discordjs/ws"), import("@discordjs/rest")]);
    return {
      WebSocketManager: ws.WebSocketManager,
      SimpleShardingStrategy: ws.SimpleShardingStrategy,
      SimpleIdentifyThrottler: ws.SimpleIdentifyThrottler,
      REST: rest.REST,
    };
  } catch (cause) {
    throw new GatewayWorkerError(
      "missing_peer",
      "The gateway worker needs two packages that are optional for the rest: npm install @discordjs/ws@2 @discordjs/rest@2",
      { cause },
    );
  }
}

/** Discord's REST API, without timers of its own that would keep a process alive. */
export function createRest(peers: GatewayPeers, { restBaseUrl, botToken }: { restBaseUrl: string; botToken: string }) {
  return new peers.REST({
    version: "10",
    api: restBaseUrl,
    hashSweepInterval: 0,
    handlerSweepInterval: 0,
  }).setToken(botToken);
}
