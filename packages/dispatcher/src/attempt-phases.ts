import type { ConnectionTiming } from "./connection-timing.js";
import type { AttemptPhases } from "./delivery.js";

/** What is noted of a request while it is under way, in `performance.now()`. */
export interface RequestTiming {
  /** Null: on a connection that was there. */
  connection: ConnectionTiming | null;
  sentAtMs: number | null;
  /** When the answer's head was there. */
  headAtMs: number | null;
}

/** How long each phase took. The one that it ended in took until then. */
export function phasesOf({ connection, sentAtMs, headAtMs }: RequestTiming, endedAtMs: number): AttemptPhases {
  const span = (fromMs: number | null, toMs: number | null): number | null =>
    fromMs === null ? null : Math.round(((toMs ?? endedAtMs) - fromMs) * 10) / 10;
  const firstByteMs = span(sentAtMs, headAtMs);
  const bodyMs = span(headAtMs, null);
  if (connection === null) return { dnsMs: null, connectMs: null, tlsMs: null, firstByteMs, bodyMs };
  const { isNamed, isSecure, startedAtMs, resolvedAtMs, connectedAtMs, securedAtMs } = connection;
  return {
    dnsMs: isNamed ? span(startedAtMs, resolvedAtMs) : null,
    connectMs: span(isNamed ? resolvedAtMs : startedAtMs, connectedAtMs),
    tlsMs: isSecure ? span(connectedAtMs, securedAtMs) : null,
    firstByteMs,
    bodyMs,
  };
}

/** As it is stored: the five numbers in order, with nothing between the commas for null. Every attempt has one. */
export function writePhases({ dnsMs, connectMs, tlsMs, firstByteMs, bodyMs }: AttemptPhases): string {
  return `${dnsMs ?? ""},${connectMs ?? ""},${tlsMs ?? ""},${firstByteMs ?? ""},${bodyMs ?? ""}`;
}

export function readPhases(text: string): AttemptPhases {
  const [dnsMs = null, connectMs = null, tlsMs = null, firstByteMs = null, bodyMs = null] = text
    .split(",")
    .map((part) => (part === "" ? null : Number(part)));
  return { dnsMs, connectMs, tlsMs, firstByteMs, bodyMs };
}
