import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  createDiscordGatewayWorker,
  type GatewayWorkerOptions,
  isGatewayWorkerError,
} from "@hookline/connector-discord/gateway";
import { pino } from "pino";
import { type Environment, readEnvironment } from "./environment.js";

/** The variables of the process come first, then `.env` of the working directory, then that of the repository. */
function loadEnvFiles(): void {
  const files = [".env", fileURLToPath(new URL("../../../.env", import.meta.url))];
  for (const file of files.filter((candidate) => existsSync(candidate))) {
    process.loadEnvFile(file);
  }
}

function toOptions(environment: Environment): GatewayWorkerOptions {
  const { HEALTH_PORT: port, HEALTH_HOST: host, SPOOL_MAX_BYTES: maxBytes } = environment;
  return {
    botToken: environment.DISCORD_BOT_TOKEN,
    apiPublicUrl: environment.API_PUBLIC_URL,
    ingressSecret: environment.CONNECTOR_INGRESS_SECRET,
    spoolDirectory: environment.SPOOL_DIRECTORY,
    ...optional("restBaseUrl", environment.DISCORD_API_BASE_URL),
    ...optional("intents", environment.DISCORD_INTENTS),
    ...optional("shardCount", environment.DISCORD_SHARD_COUNT),
    ...optional("drainTimeoutMs", environment.DRAIN_TIMEOUT_MS),
    ...optional("shardLeases", environment.SHARD_LEASES ? leasesOf(environment) : undefined),
    ...optional("backfill", environment.BACKFILL ? {} : undefined),
    ...optional("health", port === undefined ? undefined : { port, host }),
    ...optional("spoolLimit", maxBytes === undefined ? undefined : { maxBytes }),
    logger: pino({ name: "gateway-worker", level: environment.LOG_LEVEL }),
  };
}

function leasesOf({ SHARD_LEASE_TTL_MS, MAX_SHARDS }: Environment): NonNullable<GatewayWorkerOptions["shardLeases"]> {
  return { ...optional("ttlMs", SHARD_LEASE_TTL_MS), ...optional("maxShards", MAX_SHARDS) };
}

function optional<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { [K in Key]?: Value });
}

async function main(): Promise<void> {
  loadEnvFiles();
  const read = readEnvironment(process.env);
  if (!read.ok) {
    process.stderr.write(`${read.problem}\n`);
    process.exit(1);
  }
  const worker = createDiscordGatewayWorker(toOptions(read.environment));
  let signals = 0;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      signals += 1;
      if (signals > 1) {
        process.exit(1);
      }
      worker.stop().catch(reportAndExit);
    });
  }
  try {
    await worker.start();
  } catch (error) {
    if (isGatewayWorkerError(error) && error.code === "stopped") {
      return;
    }
    throw error;
  }
  await worker.finished;
}

/** What an operator can mend is said in a sentence; what nobody foresaw comes with its stack. */
function reportAndExit(error: unknown): void {
  const unforeseen = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${isGatewayWorkerError(error) ? `${error.code}: ${error.message}` : unforeseen}\n`);
  process.exit(1);
}

main().then(() => process.exit(0), reportAndExit);
