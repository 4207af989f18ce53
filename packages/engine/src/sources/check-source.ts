import type { Source, SourceContext, SourceEvent, StandardSchema } from "@hookline/core";
import { isWebhookVerificationError, type Scheme, verify } from "@hookline/webhook-signing";
import { DEFAULTS } from "../defaults.js";
import { EngineError } from "../errors.js";
import { isCleanText } from "../storage/text.js";
import { type AllowedAddresses, readAllowedAddresses } from "./allowed-addresses.js";
import { type BearerTokens, readBearerTokens } from "./bearer-tokens.js";

/** A source that the engine takes: signed by any scheme of `@hookline/webhook-signing`. */
export type EngineSource = Source<unknown, Scheme>;

/** A source whose options were checked and completed. */
export interface CheckedSource {
  readonly id: string;
  /** Names its rate limit to its callers. */
  readonly policy: string;
  readonly path: string;
  readonly method: SourceMethod;
  readonly tenantId: string;
  /** An inactive one refuses every request. */
  readonly active: boolean;
  /** Ways to sign: of those whose signature header is there, the first. None: requests need not be signed. */
  readonly signatures: readonly Signature[];
  /** Null: the same request may come again. */
  readonly replayTtlSeconds: number | null;
  readonly acceptsBearer: BearerTokens | null;
  readonly allowsAddress: AllowedAddresses | null;
  readonly rateLimit: { readonly max: number; readonly windowSeconds: number };
  readonly maxBodyBytes: number;
  readonly schema: StandardSchema<unknown>;
  transform(body: unknown, context: SourceContext): readonly SourceEvent[] | Promise<readonly SourceEvent[]>;
}

export interface Signature {
  readonly scheme: Scheme;
  readonly secrets: readonly string[];
  readonly toleranceSeconds: number;
}

const ID = /^[a-z][a-z0-9_-]{0,63}$/;
const PATH = /^(\/[A-Za-z0-9._~-]+)+$/;
export const SOURCE_METHODS = ["POST", "PUT", "PATCH"] as const;
export type SourceMethod = (typeof SOURCE_METHODS)[number];

/** @throws EngineError `invalid_options` */
export function checkSources(sources: readonly EngineSource[]): readonly CheckedSource[] {
  const checked = sources.map(checkSource);
  for (const keys of [checked.map(({ id }) => id), checked.map(({ method, path }) => `${method} ${path}`)]) {
    const twice = keys.find((key, at) => keys.indexOf(key) !== at);
    if (twice !== undefined) throw new EngineError("invalid_options", `Two sources share ${twice}.`);
  }
  return checked;
}

function checkSource(source: EngineSource): CheckedSource {
  const { id, path, method = "POST", tenantId = DEFAULTS.tenantId, scheme, secrets, bearer, open } = source;
  if (typeof id !== "string" || !ID.test(id)) {
    throw new EngineError("invalid_options", `"${id}" is no id for a source: use a-z, 0-9, _ and -.`);
  }
  const refuse = (why: string, cause?: unknown): EngineError =>
    new EngineError("invalid_options", `Source ${id}: ${why}`, { cause });
  if (!PATH.test(path)) throw refuse(`"${path}" is no path without parameters.`);
  if (!SOURCE_METHODS.includes(method)) throw refuse(`it takes ${SOURCE_METHODS.join(", ")}, not ${method}.`);
  if (!isCleanText(tenantId, 128)) throw refuse("tenantId is a text of 1 to 128 characters.");
  if ((scheme === undefined) !== (secrets === undefined)) throw refuse("scheme and secrets belong together.");
  const closed = scheme !== undefined || bearer !== undefined;
  if (!closed && open !== true) throw refuse("it needs a bearer or a scheme, or says open: true.");
  if (closed && open === true) throw refuse("open: true contradicts its bearer or scheme.");

  const { rateLimit = DEFAULTS.source.rateLimit, maxBodyBytes = DEFAULTS.source.maxBodyBytes } = source;
  for (const [name, value] of Object.entries({ ...rateLimit, maxBodyBytes })) {
    if (!Number.isSafeInteger(value) || value < 1) throw refuse(`${name} is a whole number from 1 on.`);
  }
  const signature = scheme && secrets ? checkSignature(source, { scheme, secrets }, refuse) : null;
  return {
    id,
    policy: id,
    path,
    method,
    tenantId,
    active: true,
    signatures: signature === null ? [] : [signature],
    replayTtlSeconds: checkReplay(source, signature, refuse),
    acceptsBearer: bearer ? readBearerTokens(bearer) : null,
    allowsAddress: source.allowedAddresses ? readAllowedAddresses(source.allowedAddresses) : null,
    rateLimit,
    maxBodyBytes,
    schema: source.schema,
    transform: (body, context) => source.transform(body, context),
  };
}

type Refuse = (why: string, cause?: unknown) => EngineError;

function checkSignature(
  { toleranceSeconds = DEFAULTS.source.toleranceSeconds }: EngineSource,
  { scheme, secrets }: Pick<Signature, "scheme" | "secrets">,
  refuse: Refuse,
): Signature {
  const signature = { scheme, secrets, toleranceSeconds };
  try {
    // Secrets and tolerance are looked at before the request, in which everything is missing.
    verify("", {}, signature);
  } catch (error) {
    if (!isWebhookVerificationError(error)) throw refuse("its secrets or its tolerance will not do.", error);
  }
  return signature;
}

function checkReplay({ replay }: EngineSource, signature: Signature | null, refuse: Refuse): number | null {
  if (signature === null) {
    if (replay) throw refuse("replay needs a scheme: what is not signed can't be told from a new request.");
    return null;
  }
  if (replay === false) return null;
  const ttlSeconds = replay?.ttlSeconds ?? DEFAULTS.source.replayTtlSeconds;
  if (!(ttlSeconds >= 2 * signature.toleranceSeconds && ttlSeconds > 0 && Number.isFinite(ttlSeconds))) {
    throw refuse("replay.ttlSeconds is at least twice the tolerance, for as long does a signature hold.");
  }
  return ttlSeconds;
}
