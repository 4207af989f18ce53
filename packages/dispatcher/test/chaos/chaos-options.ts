import { ENCRYPTION_KEY } from "../open-dispatcher.js";

/** Of every dispatcher in a run of chaos. A lease is short, so that a dead process's deliveries are free soon. */
export const CHAOS_OPTIONS = {
  encryptionKey: ENCRYPTION_KEY,
  addressGuard: { allow: ["127.0.0.0/8"], allowHttp: true },
  retrySchedule: { delaysMs: Array.from({ length: 40 }, () => 50), jitterRatio: 0.5 },
  timeoutMs: 1_000,
  leaseMs: 1_500,
  pollMs: 100,
};
