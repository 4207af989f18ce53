import type { Context } from "hono";
import { DEFAULTS } from "../defaults.js";
import { createAddressReader, createRemoteAddress, type RemoteAddressOptions } from "../http/remote-address.js";
import type { RefusedSource, SourceLog, StrayReason } from "./source-log.js";

/** Whose the path is that was asked for; null for nobody's. Asked only about what is recorded. */
export type OwnerOf = () => Promise<RefusedSource | null>;

/** Records a request that ended before the checks of a source, and so before its rate limit. Never throws. */
export type RecordStray = (c: Context, reason: StrayReason, ownerOf: OwnerOf) => Promise<void>;

const WINDOW_MS = 60_000;

/** A scanner must not fill the log: of each address, and of all together, the first ones of each minute are recorded. */
export function createStrayRecorder(
  log: SourceLog,
  { now, ...options }: RemoteAddressOptions & { readonly now: () => number },
): RecordStray {
  const addressOf = createAddressReader(options);
  const remoteAddress = createRemoteAddress(options);
  const takes = createBudget(now);

  return async (c, reason, ownerOf) => {
    if (!takes(addressOf(c))) return;
    // As it was sent, without what stands behind it: there may be anything in a query.
    const path = new URL(c.req.url).pathname.slice(0, DEFAULTS.source.strays.maxPathCharacters);
    const address = remoteAddress(c)?.toString() ?? "unknown";
    await log.writeStray({ reason, address, path }, ownerOf);
  };
}

/** Counted in this process alone, since a count elsewhere would be a query too. */
function createBudget(now: () => number): (address: string) => boolean {
  const { perMinute, perMinuteAndAddress } = DEFAULTS.source.strays;
  const counts = new Map<string, number>();
  let total = 0;
  let endsAtMs = 0;
  return (address) => {
    if (now() >= endsAtMs) {
      counts.clear();
      total = 0;
      endsAtMs = now() + WINDOW_MS;
    }
    const count = counts.get(address) ?? 0;
    if (total >= perMinute || count >= perMinuteAndAddress) return false;
    counts.set(address, count + 1);
    total += 1;
    return true;
  };
}
