export { GatewayWorkerError, type GatewayWorkerErrorCode, isGatewayWorkerError } from "./errors.js";
export {
  type ClientForwarding,
  type ClientForwardingStats,
  forwardFromClient,
  type RawPacketSource,
} from "./forward-from-client.js";
export { type ForwardingOptions, GATEWAY_WORKER_DEFAULTS, type GatewayWorkerOptions } from "./options.js";
export type { GatewayWorkerStats } from "./stats.js";
export { createDiscordGatewayWorker, type DiscordGatewayWorker } from "./worker.js";
