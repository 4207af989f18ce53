/** What the gateway worker posts to the ingress route, as JSON. One lane of one guild per batch, in order. */
export interface IngressBatch {
  /** Of a worker that leases its shards: the fence of each that it holds. A batch from behind a fence is refused with 409. */
  readonly fences?: Readonly<Record<string, number>>;
  readonly items: readonly IngressItem[];
}

/** One packet from Discord's Gateway, with what is needed to place it. */
export interface IngressItem {
  /** `{sessionId}:{shard}:{seq}`: the transport's own key. */
  readonly key: string;
  readonly sessionId: string;
  readonly shard: number;
  readonly seq: number;
  /** Discord's name of it: `MESSAGE_CREATE` … or `HOOKLINE_GAP`, the worker's own word that something may be missing. */
  readonly type: string;
  /** When the worker received it: ISO 8601. */
  readonly receivedAt: string;
  /** Discord's payload, unchanged. */
  readonly d: unknown;
}

/** The answer: one result for each item, in order. 200 also when items were rejected. */
export interface IngressAnswer {
  readonly results: readonly IngressResult[];
}

/**
 * `ignored` is noise that was dropped on purpose, or with the code `guild_not_mapped` what comes from a server that
 * belongs to no tenant; `rejected` will not be accepted later either.
 */
export type IngressResult =
  | { readonly key: string; readonly status: "stored" | "duplicate" }
  | { readonly key: string; readonly status: "ignored"; readonly code?: "guild_not_mapped" }
  | { readonly key: string; readonly status: "rejected"; readonly code: string; readonly message: string };

/** Bounds that both sides keep. */
export const INGRESS_LIMITS = {
  maxItems: 200,
  /** The worker fills a batch up to here … */
  targetBodyBytes: 256 * 1024,
  /** … and the API refuses a body above this with 413. */
  maxBodyBytes: 1024 * 1024,
  minSecretCharacters: 32,
} as const;

/** The `d` of a `HOOKLINE_GAP` item: between these two moments the shard may have missed packets. */
export interface IngressGap {
  /** ISO 8601: the last moment that is known to be complete. */
  readonly from: string;
  /** ISO 8601: the first moment that is complete again. */
  readonly to: string;
  /** Why, in a word: `session_invalid`, `session_expired` … */
  readonly reason: string;
  /** Whose packets may be missing; absent when the worker can't tell. */
  readonly guildIds?: readonly string[];
}

/** The packets that become events, by Discord's names: the worker forwards these and no others. */
export const FORWARDED_PACKET_TYPES = [
  "MESSAGE_CREATE",
  "MESSAGE_REACTION_ADD",
  "MESSAGE_REACTION_REMOVE",
  "GUILD_MEMBER_ADD",
  "MESSAGE_UPDATE",
  "MESSAGE_DELETE",
  "MESSAGE_DELETE_BULK",
  "GUILD_MEMBER_REMOVE",
  "GUILD_MEMBER_UPDATE",
  "PRESENCE_UPDATE",
  "THREAD_CREATE",
  "VOICE_STATE_UPDATE",
  "GUILD_AUDIT_LOG_ENTRY_CREATE",
] as const;
