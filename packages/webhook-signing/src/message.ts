import { isSignableId } from "./received.js";
import type { Scheme, SignedMessage } from "./scheme.js";

/** What {@link sign} takes besides the body. */
export interface SignOptions {
  readonly scheme: Scheme;
  /** Newest first. Each one signs where the scheme's header holds several signatures, else only the first. */
  readonly secrets: readonly string[];
  /** The message's id, the same for every attempt. Schemes without an id ignore it. */
  readonly id?: string;
  /** Unix seconds of this attempt; now when absent. Schemes without a timestamp ignore it. */
  readonly timestamp?: number;
}

/** Checks what is to be signed, and brings it into the form of the headers. */
export function toMessage(scheme: Scheme, { id, timestamp }: SignOptions): SignedMessage {
  if (scheme.idHeader !== undefined && !isSignableId(id)) {
    throw new TypeError(`${scheme.name}: id must be 1 to 256 printable ASCII characters without a dot.`);
  }
  if (scheme.timestampHeader === undefined && scheme.timestampField === undefined) {
    return { id: id ?? "", timestamp: "" };
  }
  const seconds = timestamp ?? Math.floor(Date.now() / 1000);
  // Above it, it is milliseconds that somebody took for seconds.
  if (!Number.isInteger(seconds) || seconds < 0 || seconds >= 1e11) {
    throw new TypeError(`${scheme.name}: timestamp must be whole unix seconds.`);
  }
  return { id: id ?? "", timestamp: scheme.timestampUnit === "milliseconds" ? `${seconds}000` : `${seconds}` };
}

/** The headers of a signed message; `signatures` come with their prefixes. */
export function toHeaders(
  scheme: Scheme,
  message: SignedMessage,
  signatures: readonly string[],
): Record<string, string> {
  const headers: Record<string, string> = {};
  if (scheme.idHeader !== undefined) headers[scheme.idHeader] = message.id;
  if (scheme.timestampHeader !== undefined) headers[scheme.timestampHeader] = message.timestamp;
  const field = scheme.timestampField === undefined ? "" : scheme.timestampField + message.timestamp + scheme.separator;
  headers[scheme.signatureHeader] =
    field + (signatures.length === 1 ? signatures[0] : signatures.join(scheme.separator));
  return headers;
}
