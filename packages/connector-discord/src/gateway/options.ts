import { type Clock, type Logger, silentLogger, systemClock } from "@hookline/core";
import { INGRESS_LIMITS } from "../ingress-contract.js";
import { LEASE_LIMITS } from "../lease-contract.js";
import { DISCORD_INTENTS } from "../provider.js";
import { GatewayWorkerError } from "./errors.js";
import type { SignedPostOptions } from "./signed-post.js";

/** How packets get from the spool to the API; for the worker and for `forwardFromClient` alike. */
export interface ForwardingOptions {
  /** Where the API is; batches go to `/v1/connectors/discord/ingress` below it. */
  readonly apiPublicUrl: string;
  /**
   * The secret that both sides share: 32 characters or more. With several each batch is signed with each of them, so
   * that worker and API may change theirs in any order; two are enough.
   */
  readonly ingressSecret: string | readonly string[];
  /** Packets wait here until the API has them. One worker each; must outlive a restart. Default `./.hookline/spool`. */
  readonly spoolDirectory?: string;
  /** At this size the worker leaves Discord until the API has caught up. Default a million packets or 1 GiB. */
  readonly spoolLimit?: { readonly maxItems?: number; readonly maxBytes?: number };
  /**
   * While packets keep coming, those of this time are stored and sent together: larger batches, much less CPU for each
   * packet. What comes after a quiet time goes at once, and so does a full batch. Default 100, at most 60,000.
   */
  readonly gatherMs?: number;
  /** Packs batches of 4 KB and more with gzip. Default: unless the API is on this machine, where it would only cost CPU. */
  readonly compress?: boolean;
  /** How long stop() goes on sending. Default 5,000. */
  readonly drainTimeoutMs?: number;
  /** Of one POST to the API. Default 15,000. */
  readonly requestTimeoutMs?: number;
  /** Between two tries of the same batch; doubles, with jitter. Default 250 ms to 30 s. */
  readonly retryBackoff?: { readonly minMs?: number; readonly maxMs?: number };
  /** POSTs at the same time, of different guilds. Default 32. */
  readonly maxConcurrentRequests?: number;
  /** Default: says nothing. */
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** Posts to the API instead of connections of the worker's own that are kept open; for a proxy, say. */
  readonly fetch?: typeof fetch;
  /** 0 up to 1, for jitter. */
  readonly random?: () => number;
}

/** What a gateway worker needs to know, and what it may be told. */
export interface GatewayWorkerOptions extends ForwardingOptions {
  /** From the Developer Portal, without the word `Bot`. */
  readonly botToken: string;
  /** Bit field. Default `DISCORD_INTENTS`. */
  readonly intents?: number;
  /** Default: what Discord recommends. */
  readonly shardCount?: number;
  /**
   * Lets several workers run at once, each with a spool of its own: the API leases each shard to one of them, and
   * another one resumes its session when the lease has run out. Needs `shardCount`, the same for all. `ttlMs` is how
   * long a worker may be silent, 15,000 unless said otherwise; `maxShards` how many shards this one takes, default all.
   */
  readonly shardLeases?: { readonly ttlMs?: number; readonly maxShards?: number };
  /**
   * After a gap, asks Discord's REST API for the messages of that time and forwards them, behind what came since; at
   * most 1,000 of each channel unless said otherwise. Not of threads, nor reactions, members or presence. Default: no.
   */
  readonly backfill?: { readonly maxMessagesPerChannel?: number };
  /** Discord's REST API, or a simulator's, without the version. Default `https://discord.com/api`. */
  readonly restBaseUrl?: string;
  /** Serves `GET /healthz` and `GET /metrics`. Default: none. `host` is `127.0.0.1` unless said otherwise, `port` 0 takes any free one. */
  readonly health?: { readonly port: number; readonly host?: string };
}

export interface ForwardingSettings {
  /** The API's routes of the connector, such as `/ingress`, stand below it. */
  readonly connectorUrl: string;
  readonly post: Omit<SignedPostOptions, "transport">;
  /** Null: connections of our own. */
  readonly fetch: typeof fetch | null;
  readonly spoolDirectory: string;
  readonly spoolLimit: { readonly maxItems: number; readonly maxBytes: number };
  readonly gatherMs: number;
  readonly drainTimeoutMs: number;
  readonly retryBackoff: { readonly minMs: number; readonly maxMs: number };
  readonly maxConcurrentRequests: number;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: () => number;
}

export interface ResolvedOptions extends ForwardingSettings {
  readonly botToken: string;
  readonly intents: number;
  readonly shardCount: number | null;
  readonly shardLeases: { readonly ttlMs: number; readonly maxShards: number; readonly shardCount: number } | null;
  readonly backfill: { readonly maxMessagesPerChannel: number } | null;
  readonly restBaseUrl: string;
  readonly health: { readonly port: number; readonly host: string } | null;
}

export const GATEWAY_WORKER_DEFAULTS = {
  spoolDirectory: "./.hookline/spool",
  spoolLimit: { maxItems: 1_000_000, maxBytes: 1024 ** 3 },
  intents: DISCORD_INTENTS,
  restBaseUrl: "https://discord.com/api",
  healthHost: "127.0.0.1",
  gatherMs: 100,
  drainTimeoutMs: 5_000,
  requestTimeoutMs: 15_000,
  retryBackoff: { minMs: 250, maxMs: 30_000 },
  maxConcurrentRequests: 32,
  shardLeases: { ttlMs: 15_000 },
  backfill: { maxMessagesPerChannel: 1_000 },
} as const satisfies Record<string, unknown>;

/** @throws {GatewayWorkerError} `invalid_option` */
export function resolveForwarding(options: ForwardingOptions): ForwardingSettings {
  const defaults = GATEWAY_WORKER_DEFAULTS;
  const clock = options.clock ?? systemClock;
  const apiUrl = checkUrl("apiPublicUrl", options.apiPublicUrl);
  return {
    connectorUrl: `${apiUrl}/v1/connectors/discord`,
    post: {
      secrets: checkSecrets(options.ingressSecret),
      timeoutMs: checkPositive("requestTimeoutMs", options.requestTimeoutMs ?? defaults.requestTimeoutMs),
      compress: options.compress ?? !isLoopback(apiUrl),
      clock,
    },
    fetch: options.fetch ?? null,
    spoolDirectory: options.spoolDirectory ?? defaults.spoolDirectory,
    spoolLimit: {
      maxItems: checkPositive("spoolLimit.maxItems", options.spoolLimit?.maxItems ?? defaults.spoolLimit.maxItems),
      maxBytes: checkPositive("spoolLimit.maxBytes", options.spoolLimit?.maxBytes ?? defaults.spoolLimit.maxBytes),
    },
    gatherMs: checkGathering(options.gatherMs ?? defaults.gatherMs),
    drainTimeoutMs: options.drainTimeoutMs ?? defaults.drainTimeoutMs,
    retryBackoff: {
      minMs: checkPositive("retryBackoff.minMs", options.retryBackoff?.minMs ?? defaults.retryBackoff.minMs),
      maxMs: checkPositive("retryBackoff.maxMs", options.retryBackoff?.maxMs ?? defaults.retryBackoff.maxMs),
    },
    maxConcurrentRequests: checkPositive(
      "maxConcurrentRequests",
      options.maxConcurrentRequests ?? defaults.maxConcurrentRequests,
    ),
    logger: options.logger ?? silentLogger,
    clock,
    random: options.random ?? Math.random,
  };
}

/** @throws {GatewayWorkerError} `invalid_option` */
export function resolveOptions(options: GatewayWorkerOptions): ResolvedOptions {
  const defaults = GATEWAY_WORKER_DEFAULTS;
  return {
    ...resolveForwarding(options),
    botToken: checkToken(options.botToken),
    intents: checkPositive("intents", options.intents ?? defaults.intents),
    shardCount: options.shardCount === undefined ? null : checkPositive("shardCount", options.shardCount),
    shardLeases: options.shardLeases ? checkLeases(options.shardLeases, options.shardCount) : null,
    backfill: options.backfill ? checkBackfill(options.backfill) : null,
    restBaseUrl: checkUrl("restBaseUrl", options.restBaseUrl ?? defaults.restBaseUrl).replace(/\/v\d+$/, ""),
    health: options.health ? { port: options.health.port, host: options.health.host ?? defaults.healthHost } : null,
  };
}

function invalid(message: string): GatewayWorkerError {
  return new GatewayWorkerError("invalid_option", message);
}

function checkToken(token: string): string {
  if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token)) {
    throw invalid("`botToken` must be the bot's token alone: not empty, no spaces, without the word Bot before it.");
  }
  return token;
}

function checkSecrets(secret: string | readonly string[]): readonly string[] {
  const secrets = typeof secret === "string" ? [secret] : secret;
  const least = INGRESS_LIMITS.minSecretCharacters;
  if (
    !Array.isArray(secrets) ||
    secrets.length === 0 ||
    secrets.some((one) => typeof one !== "string" || one.length < least)
  ) {
    throw invalid(`\`ingressSecret\` needs at least ${least} characters, the same ones as the API's.`);
  }
  return secrets;
}

function checkLeases(
  { ttlMs = GATEWAY_WORKER_DEFAULTS.shardLeases.ttlMs, maxShards }: NonNullable<GatewayWorkerOptions["shardLeases"]>,
  shardCount: number | undefined,
): NonNullable<ResolvedOptions["shardLeases"]> {
  if (shardCount === undefined) {
    throw invalid("`shardLeases` needs `shardCount` (DISCORD_SHARD_COUNT): all workers must divide the servers alike.");
  }
  const { minTtlMs, maxTtlMs, maxShards: most } = LEASE_LIMITS;
  if (!Number.isSafeInteger(ttlMs) || ttlMs < minTtlMs || ttlMs > maxTtlMs) {
    throw invalid(`\`shardLeases.ttlMs\` must be a whole number from ${minTtlMs} to ${maxTtlMs}.`);
  }
  if (shardCount > most) {
    throw invalid(`\`shardLeases\` takes a \`shardCount\` of at most ${most}.`);
  }
  return { ttlMs, shardCount, maxShards: checkPositive("shardLeases.maxShards", maxShards ?? shardCount) };
}

function checkBackfill({
  maxMessagesPerChannel = GATEWAY_WORKER_DEFAULTS.backfill.maxMessagesPerChannel,
}: NonNullable<GatewayWorkerOptions["backfill"]>): NonNullable<ResolvedOptions["backfill"]> {
  return { maxMessagesPerChannel: checkPositive("backfill.maxMessagesPerChannel", maxMessagesPerChannel) };
}

function isLoopback(url: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(url).hostname);
}

function checkUrl(name: string, url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (!parsed || !["http:", "https:"].includes(parsed.protocol) || parsed.search || parsed.hash) {
    throw invalid(`\`${name}\` must be an http or https address without query, such as https://api.example.com.`);
  }
  return `${parsed.origin}${parsed.pathname.replace(/\/+$/, "")}`;
}

function checkGathering(gatherMs: number): number {
  if (checkPositive("gatherMs", gatherMs) > 60_000) {
    throw invalid("`gatherMs` must be at most 60000, a minute.");
  }
  return gatherMs;
}

function checkPositive(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw invalid(`\`${name}\` must be a whole number of at least 1.`);
  }
  return value;
}
