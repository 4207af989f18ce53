import { WebhookVerificationError } from "./errors.js";
import { readHeader, type WebhookHeaders } from "./headers.js";
import { DEFAULTS, type Scheme } from "./scheme.js";
import type { ParsedSecret } from "./secret.js";

/** What the headers of one request claim; nothing of it is verified yet. */
export interface Received {
  readonly id: string | undefined;
  /** Unix seconds. */
  readonly timestamp: number | undefined;
  /** What is signed in front of the body. */
  readonly contentPrefix: string;
  /** Encoded, in the scheme's form and in lower case for hex. */
  readonly hmacSignatures: readonly string[];
  readonly ed25519Signatures: readonly string[];
}

/** How far a timestamp may be from now, in seconds; an object sets past and future apart. */
export type Tolerance = number | { readonly past: number; readonly future: number };

/** What `verify` takes besides body and headers. */
export interface VerifyOptions {
  readonly scheme: Scheme;
  /** Any of them may fit, so old and new secrets overlap during a rotation. */
  readonly secrets: readonly string[];
  /** Default 300, both ways. */
  readonly toleranceSeconds?: Tolerance | undefined;
  /** Default: the machine's time. */
  readonly now?: Date | undefined;
}

const idForm = /^[\x21-\x2d\x2f-\x7e]{1,256}$/;
const timestampForm = /^[0-9]{1,15}$/;
const forms = {
  hex: { hmac: /^[0-9a-f]{64}$/i, ed25519: /^[0-9a-f]{128}$/i },
  // The last digit before the padding has unused bits, which must be zero: one signature, one spelling.
  base64: { hmac: /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/, ed25519: /^[A-Za-z0-9+/]{85}[AQgw]==$/ },
} as const;

/** True for an id that can be signed: printable ASCII without a dot, at most 256 characters. */
export function isSignableId(id: unknown): id is string {
  return typeof id === "string" && idForm.test(id);
}

/**
 * Reads a request's headers as the scheme says, and checks the timestamp against the tolerance.
 *
 * @throws WebhookVerificationError for whatever is wrong with the request
 * @throws TypeError for a tolerance or a time that is none
 */
export function receive(headers: WebhookHeaders, options: VerifyOptions): Received {
  const { scheme } = options;
  const window = windowOf(options);
  const id = scheme.idHeader === undefined ? undefined : readHeader(headers, scheme.idHeader);
  if (id !== undefined && !idForm.test(id)) throw malformed(scheme.idHeader);

  const header = readHeader(headers, scheme.signatureHeader);
  const entries = splitSignatures(header, scheme);
  const text = scheme.timestampField
    ? timestampAmong(entries, scheme)
    : scheme.timestampHeader && readHeader(headers, scheme.timestampHeader);
  const timestamp = text === undefined ? undefined : checkTimestamp(text, scheme, window);

  const hmacSignatures = select(entries, scheme, "hmac");
  const ed25519Signatures = select(entries, scheme, "ed25519");
  if (scheme.separator === undefined && hmacSignatures.length + ed25519Signatures.length === 0) {
    throw malformed(scheme.signatureHeader);
  }
  const contentPrefix = scheme.contentPrefix?.({ id: id ?? "", timestamp: text ?? "" }) ?? "";
  return { id, timestamp, contentPrefix, hmacSignatures, ed25519Signatures };
}

/** The signatures that a key of this kind can check. */
export function signaturesFor(
  { kind }: { readonly kind: ParsedSecret["kind"] },
  received: Received,
): readonly string[] {
  return kind === "hmac" ? received.hmacSignatures : received.ed25519Signatures;
}

function splitSignatures(header: string, scheme: Scheme): readonly string[] {
  if (scheme.separator === undefined) return [header];
  const entries = header.split(scheme.separator, DEFAULTS.maxSignatures + 2);
  if (entries.length > DEFAULTS.maxSignatures + (scheme.timestampField ? 1 : 0)) {
    throw new WebhookVerificationError(
      "too_many_signatures",
      `${scheme.signatureHeader} holds more than ${DEFAULTS.maxSignatures} signatures.`,
    );
  }
  return entries;
}

function timestampAmong(entries: readonly string[], scheme: Scheme): string {
  const field = scheme.timestampField as string;
  const found = entries.filter((entry) => entry.startsWith(field));
  if (found.length !== 1) throw malformed(scheme.signatureHeader);
  return (found[0] as string).slice(field.length);
}

function select(entries: readonly string[], scheme: Scheme, algorithm: "hmac" | "ed25519"): readonly string[] {
  const prefix = algorithm === "hmac" ? scheme.hmacPrefix : scheme.ed25519Prefix;
  const form = forms[scheme.encoding][algorithm];
  const selected: string[] = [];
  if (prefix === undefined) return selected;
  for (const entry of entries) {
    if (!entry.startsWith(prefix)) continue;
    const signature = entry.slice(prefix.length);
    if (!form.test(signature)) throw malformed(scheme.signatureHeader);
    selected.push(scheme.encoding === "hex" ? signature.toLowerCase() : signature);
  }
  return selected;
}

function checkTimestamp(text: string, scheme: Scheme, window: Window): number {
  if (!timestampForm.test(text)) throw malformed(scheme.timestampHeader ?? scheme.signatureHeader);
  const timestamp = scheme.timestampUnit === "milliseconds" ? Math.floor(Number(text) / 1000) : Number(text);
  if (window.nowSeconds - timestamp > window.past) {
    throw new WebhookVerificationError("timestamp_too_old", `The timestamp is more than ${window.past} s old.`);
  }
  if (timestamp - window.nowSeconds > window.future) {
    throw new WebhookVerificationError("timestamp_too_new", `The timestamp is more than ${window.future} s ahead.`);
  }
  return timestamp;
}

interface Window {
  readonly nowSeconds: number;
  readonly past: number;
  readonly future: number;
}

function windowOf({ toleranceSeconds = DEFAULTS.toleranceSeconds, now }: VerifyOptions): Window {
  const { past, future } =
    typeof toleranceSeconds === "number" ? { past: toleranceSeconds, future: toleranceSeconds } : toleranceSeconds;
  const nowSeconds = Math.floor((now === undefined ? Date.now() : now.getTime()) / 1000);
  // A NaN would make every comparison with it false, and so let every timestamp through.
  if (!(past >= 0 && future >= 0)) throw new TypeError("toleranceSeconds must be 0 or more seconds.");
  if (Number.isNaN(nowSeconds)) throw new TypeError("now must be a valid Date.");
  return { nowSeconds, past, future };
}

function malformed(header: string | undefined): WebhookVerificationError {
  return new WebhookVerificationError("malformed_header", `The header ${header} is malformed.`);
}
