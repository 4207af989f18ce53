import type { Logger } from "@hookline/core";
import { Redis } from "ioredis";
import type { Environment } from "./environment.js";
import { ApiStartError } from "./errors.js";

const COMMAND_TIMEOUT_MS = 2_000;

/** What the API keeps in Redis where there is one. */
export interface RedisConnection {
  readonly client: Redis;
  /** @throws ApiStartError `redis_unavailable` */
  connect(): Promise<void>;
  /** Whether it answers. */
  isReady(): Promise<boolean>;
  close(): void;
}

/**
 * The Redis of the environment. While it is away each command fails at once, and what needs it refuses; it is connected
 * again when it is back.
 */
export function createRedis({ REDIS_URL: url }: Environment, logger: Logger): RedisConnection | null {
  if (url === undefined) return null;
  const client = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: COMMAND_TIMEOUT_MS,
  });
  client.on("error", (error: Error) => logger.error({ err: error }, "Redis is away"));
  return {
    client,
    async connect() {
      try {
        await client.connect();
      } catch (cause) {
        client.disconnect();
        throw new ApiStartError("redis_unavailable", "The Redis of REDIS_URL can't be reached.", { cause });
      }
    },
    isReady: async () => (await client.ping()) === "PONG",
    close: () => client.disconnect(),
  };
}
