/** Every default of this package and every bound that it keeps. */
export const DEFAULTS = {
  schema: "hookline",
  tenantId: "default",
  /** How far ahead of our clock an event may claim to be. */
  maxClockSkewMs: 24 * 60 * 60 * 1000,
  maxIdentities: 20,
  maxIdentityCharacters: 512,
  maxIdempotencyKeyCharacters: 255,
  /** What one transaction of `ingest` takes. */
  maxBatchElements: 200,
  maxBatchIdentities: 1_000,
  /** How deep data and properties may nest. */
  maxDepth: 64,
  maxDataBytes: 256 * 1024,
  maxPropertiesBytes: 32 * 1024,
  /** How often a transaction is tried that lost a deadlock or a race. */
  conflictTries: 6,
  pageLimit: 50,
  maxPageLimit: 200,
  minApiKeyCharacters: 32,
  /** `last_used_at` of an API key is written at most this often. */
  apiKeyUseIntervalMs: 60 * 1000,
  /** How long a rotated API key goes on working beside its successor. */
  keyOverlapSeconds: 24 * 60 * 60,
  maxKeyOverlapSeconds: 30 * 24 * 60 * 60,
  maxNameCharacters: 100,
  /** A secret that is older is due for rotation. */
  secretMaxAgeDays: 90,
  reencryptBatch: 100,
  /** Accounts whose tokens one run gives back. */
  releaseBatch: 20,
  /** Longer than deliveries are tried: what could not be given back by then is forgotten. */
  releasedTokensKeptMs: 7 * 24 * 60 * 60 * 1000,
  smtpTimeoutMs: 20_000,
  smtpConnections: 5,
  /** Events that an export or an erasure takes at once. */
  subjectPage: 200,
  minSearchCharacters: 2,
  sweepIntervalMs: 60 * 1000,
  confirmTtlSeconds: 900,
  /** How long a used or expired confirm token can still be told from an unknown one. */
  confirmKeptMs: 7 * 24 * 60 * 60 * 1000,
  /** How long an account may not ask for an address again whose owner has said no. */
  confirmBlockSeconds: 7 * 24 * 60 * 60,
  throttle: { maxPerUser: 5, maxPerAddress: 3, windowSeconds: 3600 },
  connectorRequestsPerMinute: 60,
  maxBodyBytes: 1024 * 1024,
  source: {
    maxBodyBytes: 256 * 1024,
    rateLimit: { max: 100, windowSeconds: 60 },
    toleranceSeconds: 300,
    /** Longer than senders go on trying: Standard Webhooks' schedule has 75 hours. */
    replayTtlSeconds: 7 * 24 * 60 * 60,
    minBearerCharacters: 16,
    maxSchemaErrors: 100,
    /** Of a stored source. */
    bounds: {
      requestsPerMinute: { min: 1, max: 10_000 },
      maxBodyBytes: { min: 1024, max: 1024 * 1024 },
    },
    maxFields: 100,
    maxAddresses: 200,
    maxSecretCharacters: 256,
    /** Secrets that fit side by side, while rotations overlap. */
    maxValidSecrets: 5,
    /** What a process records of requests for paths of sources that are none for a source. */
    strays: { perMinute: 100, perMinuteAndAddress: 10, maxPathCharacters: 200 },
  },
  /** How long and how many of a source's executions and refusals are kept. */
  executions: { keptMs: 30 * 24 * 60 * 60 * 1000, maxPerSource: 1_000 },
  refusals: { keptMs: 90 * 24 * 60 * 60 * 1000, maxPerSource: 10_000 },
  automations: {
    /** How long and how many executions of an automation are kept. */
    keptMs: 30 * 24 * 60 * 60 * 1000,
    maxExecutions: 1_000,
    /** How many may run in a row, each for an event that the one before has published. */
    maxDepth: 10,
  },
  maxKeptMails: 200,
  /** How long a process keeps in memory whose an installation is. */
  installations: { keptMs: 15_000, missingKeptMs: 2_000, maxKept: 10_000 },
} as const satisfies Record<string, unknown>;
