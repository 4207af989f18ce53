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
