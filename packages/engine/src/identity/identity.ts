import type { Identity } from "@hookline/core";
import { DEFAULTS } from "../defaults.js";
import { EngineError } from "../errors.js";
import { isCleanText } from "../storage/text.js";
import { normaliseEmail } from "./email.js";

/** The kinds that always exist. Connectors declare more. */
export const BUILT_IN_IDENTITY_KINDS = ["external", "email", "anonymous"] as const;

const KIND_NAME = /^[a-z][a-z0-9_]{0,63}$/;

/** @throws EngineError `invalid_options` when a kind's name is not lower-case letters, digits and `_` */
export function checkIdentityKind(kind: string): string {
  if (!KIND_NAME.test(kind)) {
    throw new EngineError("invalid_options", `"${kind}" is no name for a kind of identity: use a-z, 0-9 and _.`);
  }
  return kind;
}

/** One spelling for each identity, so that equal ones meet.
 * @throws EngineError `invalid_identity` or `invalid_email` */
export function normaliseIdentity(identity: Identity, kinds: ReadonlySet<string>): Identity {
  const { kind, value } = identity ?? {};
  if (typeof kind !== "string" || !kinds.has(kind)) {
    throw new EngineError("invalid_identity", `No connector declares identities of the kind ${JSON.stringify(kind)}.`);
  }
  if (typeof value !== "string" || !isCleanText(value, DEFAULTS.maxIdentityCharacters)) {
    throw new EngineError(
      "invalid_identity",
      `The value of an identity is a text of 1 to ${DEFAULTS.maxIdentityCharacters} characters without control characters.`,
    );
  }
  return { kind, value: kind === "email" ? normaliseEmail(value) : value };
}

/** Normalises a list, drops repetitions, and orders it, which is also the order in which locks are taken.
 * @throws EngineError `invalid_identity` or `invalid_email` */
export function normaliseIdentities(identities: readonly Identity[], kinds: ReadonlySet<string>): readonly Identity[] {
  if (!Array.isArray(identities) || identities.length === 0 || identities.length > DEFAULTS.maxIdentities) {
    throw new EngineError("invalid_identity", `Between 1 and ${DEFAULTS.maxIdentities} identities are needed.`);
  }
  const unique = new Map<string, Identity>();
  for (const identity of identities) {
    const normalised = normaliseIdentity(identity, kinds);
    unique.set(identityKey(normalised), normalised);
  }
  return [...unique.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, identity]) => identity);
}

export function identityKey({ kind, value }: Identity): string {
  return `${kind}\u001f${value}`;
}
