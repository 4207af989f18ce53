import { type Clock, type Logger, silentLogger, systemClock } from "@hookline/core";
import { DiscordSimulatorError } from "./errors.js";
import type { RateLimitRules } from "./rest/rate-limits.js";

/** What {@link createDiscordSimulator} takes; everything has a default. */
export interface DiscordSimulatorOptions {
  /** 0 takes any free port. Default 0. */
  readonly port?: number;
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Keys, tokens and secrets are derived from it: the same seed gives the same ones. Default `hookline`. */
  readonly seed?: string;
  /** Name of the application and its bot. Default `Hookline`. */
  readonly applicationName?: string;
  /** Instead of the one derived from the seed. */
  readonly botToken?: string;
  /** Instead of the one derived from the seed. */
  readonly clientSecret?: string;
  /** Which privileged intents are switched on in the portal. Default: all three. */
  readonly privilegedIntents?: readonly PrivilegedIntent[];
  /** Where interactions go; without one they go over the Gateway. It is probed while `start()` runs. */
  readonly interactionsUrl?: string;
  /** Where OAuth may send people back to, as registered in the portal. Default: nowhere. */
  readonly redirectUris?: readonly string[];
  /** Time for Discord's own rules: the 3 s, the 15 minutes, heartbeats. Default: the machine's. */
  readonly clock?: Clock;
  /** Default: silent. */
  readonly logger?: Logger;
  /** Calls the interactions URL. Default: the global one. */
  readonly fetch?: typeof fetch;
  /** Default 41,250. */
  readonly heartbeatIntervalMs?: number;
  /** How long a session without a socket can be resumed. Default 180,000. */
  readonly sessionKeepMs?: number;
  /** How many packets a session keeps for a replay. Default 20,000. */
  readonly keptPackets?: number;
  /** IDENTIFYs a day. Default 1,000. */
  readonly sessionStartLimit?: number;
  /** `max_concurrency` of `gateway/bot`. Default 1. */
  readonly maxConcurrency?: number;
  /** Shards that `gateway/bot` recommends. Default 1. */
  readonly shards?: number;
  /** How long an application may take to answer an interaction. Default 3,000. */
  readonly answerTimeoutMs?: number;
  /** How long an interaction's token is good. Default 900,000. */
  readonly tokenLifetimeMs?: number;
  /** False: REST is not limited, but for what `faults` asks for. Default: Discord's global limit and its ban. */
  readonly rateLimits?: RateLimitRules | false;
}

export type PrivilegedIntent = "members" | "presences" | "messageContent";

type Optional = "interactionsUrl" | "botToken" | "clientSecret";

export type ResolvedOptions = Required<Omit<DiscordSimulatorOptions, Optional>> & {
  readonly [Key in Optional]: string | undefined;
};

export const DEFAULTS = {
  port: 0,
  host: "127.0.0.1",
  seed: "hookline",
  applicationName: "Hookline",
  privilegedIntents: ["members", "presences", "messageContent"],
  redirectUris: [],
  heartbeatIntervalMs: 41_250,
  sessionKeepMs: 180_000,
  keptPackets: 20_000,
  sessionStartLimit: 1_000,
  maxConcurrency: 1,
  shards: 1,
  answerTimeoutMs: 3_000,
  tokenLifetimeMs: 900_000,
  rateLimits: {},
} as const satisfies Partial<ResolvedOptions>;

export function resolveOptions(options: DiscordSimulatorOptions): ResolvedOptions {
  const { port = DEFAULTS.port, shards = DEFAULTS.shards } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new DiscordSimulatorError("invalid_input", `port must be 0 to 65535, got ${port}.`);
  }
  const limits = Object.entries(options.rateLimits || {}).map(
    ([name, value]) => [`rateLimits.${name}`, value] as const,
  );
  for (const [name, value] of [["shards", shards] as const, ...limits]) {
    if (!Number.isInteger(value) || value < 1) {
      throw new DiscordSimulatorError("invalid_input", `${name} must be a whole number from 1.`);
    }
  }
  return {
    ...DEFAULTS,
    clock: systemClock,
    logger: silentLogger,
    fetch: globalThis.fetch,
    botToken: undefined,
    clientSecret: undefined,
    interactionsUrl: undefined,
    ...options,
  };
}
