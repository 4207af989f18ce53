import { type Clock, type Logger, silentLogger, systemClock } from "@hookline/core";
import { INGRESS_LIMITS } from "../ingress-contract.js";
import { DISCORD_INTENTS } from "../provider.js";
import { GatewayWorkerError } from "./errors.js";

/** What a gateway worker needs to know, and what it may be told. */
export interface GatewayWorkerOptions {
  /** From the Developer Portal, without the word `Bot`. */
  readonly botToken: string;
  /** Where the API is; batches go to `/v1/connectors/discord/ingress` below it. */
  readonly apiPublicUrl: string;
  /** The secret that both sides share: 32 characters or more. */
  readonly ingressSecret: string;
  /** Packets wait here until the API has them. One worker each; must outlive a restart. Default `./.hookline/spool`. */
  readonly spoolDirectory?: string;
  /** At this size the worker leaves Discord until the API has caught up. Default a million packets or 1 GiB. */
  readonly spoolLimit?: { readonly maxItems?: number; readonly maxBytes?: number };
  /** Bit field. Default `DISCORD_INTENTS`. */
  readonly intents?: number;
  /** Default: what Discord recommends. All shards run in this process. */
  readonly shardCount?: number;
  /** Discord's REST API, or a simulator's, without the version. Default `https://discord.com/api`. */
  readonly restBaseUrl?: string;
  /** Serves `GET /healthz`. Default: none. `host` is `127.0.0.1` unless said otherwise, `port` 0 takes any free one. */
  readonly health?: { readonly port: number; readonly host?: string };
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
  readonly fetch?: typeof fetch;
  /** 0 up to 1, for jitter. */
  readonly random?: () => number;
}

export interface ResolvedOptions {
  readonly botToken: string;
  readonly ingressUrl: string;
  readonly ingressSecret: string;
  readonly spoolDirectory: string;
  readonly spoolLimit: { readonly maxItems: number; readonly maxBytes: number };
  readonly intents: number;
  readonly shardCount: number | null;
  readonly restBaseUrl: string;
  readonly health: { readonly port: number; readonly host: string } | null;
  readonly drainTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly retryBackoff: { readonly minMs: number; readonly maxMs: number };
  readonly maxConcurrentRequests: number;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  readonly random: () => number;
}

export const GATEWAY_WORKER_DEFAULTS = {
  spoolDirectory: "./.hookline/spool",
  spoolLimit: { maxItems: 1_000_000, maxBytes: 1024 ** 3 },
  intents: DISCORD_INTENTS,
  restBaseUrl: "https://discord.com/api",
  healthHost: "127.0.0.1",
  drainTimeoutMs: 5_000,
  requestTimeoutMs: 15_000,
  retryBackoff: { minMs: 250, maxMs: 30_000 },
  maxConcurrentRequests: 32,
} as const satisfies Record<string, unknown>;

/** @throws {GatewayWorkerError} `invalid_option` */
export function resolveOptions(options: GatewayWorkerOptions): ResolvedOptions {
  const defaults = GATEWAY_WORKER_DEFAULTS;
  return {
    botToken: checkToken(options.botToken),
    ingressUrl: `${checkUrl("apiPublicUrl", options.apiPublicUrl)}/v1/connectors/discord/ingress`,
    ingressSecret: checkSecret(options.ingressSecret),
    spoolDirectory: options.spoolDirectory ?? defaults.spoolDirectory,
    spoolLimit: {
      maxItems: checkPositive("spoolLimit.maxItems", options.spoolLimit?.maxItems ?? defaults.spoolLimit.maxItems),
      maxBytes: checkPositive("spoolLimit.maxBytes", options.spoolLimit?.maxBytes ?? defaults.spoolLimit.maxBytes),
    },
    intents: checkPositive("intents", options.intents ?? defaults.intents),
    shardCount: options.shardCount === undefined ? null : checkPositive("shardCount", options.shardCount),
    restBaseUrl: checkUrl("restBaseUrl", options.restBaseUrl ?? defaults.restBaseUrl).replace(/\/v\d+$/, ""),
    health: options.health ? { port: options.health.port, host: options.health.host ?? defaults.healthHost } : null,
    drainTimeoutMs: options.drainTimeoutMs ?? defaults.drainTimeoutMs,
    requestTimeoutMs: checkPositive("requestTimeoutMs", options.requestTimeoutMs ?? defaults.requestTimeoutMs),
    retryBackoff: {
      minMs: checkPositive("retryBackoff.minMs", options.retryBackoff?.minMs ?? defaults.retryBackoff.minMs),
      maxMs: checkPositive("retryBackoff.maxMs", options.retryBackoff?.maxMs ?? defaults.retryBackoff.maxMs),
    },
    maxConcurrentRequests: checkPositive(
      "maxConcurrentRequests",
      options.maxConcurrentRequests ?? defaults.maxConcurrentRequests,
    ),
    logger: options.logger ?? silentLogger,
    clock: options.clock ?? systemClock,
    fetch: options.fetch ?? fetch,
    random: options.random ?? Math.random,
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

function checkSecret(secret: string): string {
  if (typeof secret !== "string" || secret.length < INGRESS_LIMITS.minSecretCharacters) {
    throw invalid(
      `\`ingressSecret\` needs at least ${INGRESS_LIMITS.minSecretCharacters} characters, the same ones as the API's.`,
    );
  }
  return secret;
}

function checkUrl(name: string, url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (!parsed || !["http:", "https:"].includes(parsed.protocol) || parsed.search || parsed.hash) {
    throw invalid(`\`${name}\` must be an http or https address without query, such as https://api.example.com.`);
  }
  return `${parsed.origin}${parsed.pathname.replace(/\/+$/, "")}`;
}

function checkPositive(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw invalid(`\`${name}\` must be a whole number of at least 1.`);
  }
  return value;
}
