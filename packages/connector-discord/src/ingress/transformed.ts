import type { EventInput, IngestInput } from "@hookline/core";
import type { z } from "zod";
import type { KnownBots } from "./known-bots.js";
import type { RecentJoins } from "./recent-joins.js";

/** What becomes of one packet. */
export type Transformed =
  /** Of a person. */
  | { readonly kind: "ingest"; readonly inputs: readonly IngestInput[] }
  /** Of nobody. */
  | { readonly kind: "publish"; readonly events: readonly EventInput[] }
  /** Noise, dropped on purpose. */
  | { readonly kind: "ignored"; readonly reason: string }
  /** Not what Discord sends. */
  | { readonly kind: "rejected"; readonly code: string; readonly message: string };

export interface TransformOptions {
  readonly applicationId: string;
  readonly storeMessageText: boolean;
  /** Null for a server that belongs to no tenant. */
  readonly resolveTenant: (guildId: string | null) => Promise<string | null>;
}

export interface TransformContext extends TransformOptions {
  readonly knownBots: KnownBots;
  readonly recentJoins: RecentJoins;
}

export function ignored(reason: string): Transformed {
  return { kind: "ignored", reason };
}

/** A packet that is not what Discord documents. */
export function malformed(type: string, error: z.ZodError): Transformed {
  const issue = error.issues[0];
  return {
    kind: "rejected",
    code: "invalid_payload",
    message: `${type}: ${issue?.path.join(".") || "d"} ${issue?.message ?? "is malformed"}`,
  };
}
