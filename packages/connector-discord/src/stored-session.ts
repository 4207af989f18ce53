import { z } from "zod";

/** A Gateway session as it is kept: everything behind `seq` comes again when it is resumed. */
export interface StoredSession {
  readonly sessionId: string;
  readonly resumeUrl: string;
  readonly seq: number;
  readonly shardCount: number;
  /** A resumed session keeps the intents that it identified with, so a change of intents must not resume. */
  readonly intents: number;
  /** Milliseconds since 1970: the last moment at which the connection was known to be complete. */
  readonly lastSeenAtMs: number;
}

/**
 * Stands for a session that nobody can resume, such as that of a worker which died before it could tell of it: what came
 * since `lastSeenAtMs` may be missing.
 */
export function unknownSession(lastSeenAtMs: number): StoredSession {
  return { sessionId: "unknown", resumeUrl: "", seq: 0, shardCount: 1, intents: UNKNOWN_INTENTS, lastSeenAtMs };
}

/** No session that can be begun has none. */
export const UNKNOWN_INTENTS = 0;

export const storedSessionSchema = z.object({
  sessionId: z.string().min(1).max(200),
  resumeUrl: z.string().max(500),
  seq: z.number().int().min(0),
  shardCount: z.number().int().min(1),
  intents: z.number().int().min(0),
  lastSeenAtMs: z.number().min(0),
});
