/** Every default of this package and every bound that it keeps. */
export const DEFAULTS = {
  schema: "hookline",
  tenantId: "default",
  /** How far ahead of our clock an event may claim to be. */
  maxClockSkewMs: 24 * 60 * 60 * 1000,
  maxIdentities: 20,
  maxIdentityCharacters: 512,
  maxIdempotencyKeyCharacters: 512,
  maxDataBytes: 256 * 1024,
  maxPropertiesBytes: 32 * 1024,
  /** How often a transaction is tried that lost a deadlock or a race. */
  conflictTries: 6,
  pageLimit: 50,
  maxPageLimit: 200,
  minApiKeyCharacters: 32,
  /** `last_used_at` of an API key is written at most this often. */
  apiKeyUseIntervalMs: 60 * 1000,
  sweepIntervalMs: 60 * 1000,
  confirmTtlSeconds: 900,
  /** How long a used or expired confirm token can still be told from an unknown one. */
  confirmKeptMs: 7 * 24 * 60 * 60 * 1000,
  throttle: { maxPerUser: 5, maxPerAddress: 3, windowSeconds: 3600 },
  connectorRequestsPerMinute: 60,
  maxBodyBytes: 1024 * 1024,
  maxKeptMails: 200,
} as const satisfies Record<string, unknown>;
