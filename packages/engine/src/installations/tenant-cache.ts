import type { Clock } from "@hookline/core";
import type { InstallationKey } from "./installations.js";

interface CacheOptions {
  readonly clock: Clock;
  readonly keptMs: number;
  /** Shorter: what is not there now may be about to come. */
  readonly missingKeptMs: number;
  readonly maxKept: number;
}

/** Each packet and each interaction asks whose server it is from; the answer hardly ever changes. */
export function createTenantCache({ clock, keptMs, missingKeptMs, maxKept }: CacheOptions) {
  const kept = new Map<string, { readonly tenantId: string | null; readonly untilMs: number }>();
  // What was read before a change must not be kept after it.
  let changes = 0;
  const nameOf = ({ connectorId, installationId }: InstallationKey) => JSON.stringify([connectorId, installationId]);

  return {
    async get(key: InstallationKey, read: () => Promise<string | null>): Promise<string | null> {
      const name = nameOf(key);
      const known = kept.get(name);
      if (known && known.untilMs > clock.now()) return known.tenantId;
      const before = changes;
      const tenantId = await read();
      if (before !== changes) return tenantId;
      // Anybody can add a public bot to a server of their own: what is kept has a limit.
      if (kept.size >= maxKept) kept.clear();
      kept.set(name, { tenantId, untilMs: clock.now() + (tenantId === null ? missingKeptMs : keptMs) });
      return tenantId;
    },
    forget(key: InstallationKey): void {
      changes += 1;
      kept.delete(nameOf(key));
    },
  };
}
