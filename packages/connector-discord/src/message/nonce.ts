import { createHash } from "node:crypto";
import { DISCORD_LIMITS } from "./limits.js";

/** The same for the same key: by it Discord drops the repetition of a message. */
export function nonceOf(key: string): string {
  return createHash("sha256").update(key).digest("base64url").slice(0, DISCORD_LIMITS.nonce);
}
