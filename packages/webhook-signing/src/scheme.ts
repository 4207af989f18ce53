/** The part of a message that headers carry. `""` where the scheme has none. */
export interface SignedMessage {
  readonly id: string;
  /** Digits, exactly as in the header. */
  readonly timestamp: string;
}

/** What {@link defineScheme} takes. Only `name` and `signatureHeader` are needed. */
export interface SchemeDefinition {
  /** For error messages and logs. */
  readonly name: string;
  readonly signatureHeader: string;
  /** Carries the message's id. Ids are printable ASCII without a dot. */
  readonly idHeader?: string;
  /** Carries the time of signing. Whatever it says is checked against the tolerance. */
  readonly timestampHeader?: string;
  /** Unit of the header; `sign` always takes seconds and `verify` always answers seconds. Default `seconds`. */
  readonly timestampUnit?: "seconds" | "milliseconds";
  /** Such as `t=`: the timestamp stands in the signature header, among the signatures. Needs `separator`. */
  readonly timestampField?: string;
  /** What is signed in front of the body. Default: nothing. */
  readonly contentPrefix?: (message: SignedMessage) => string;
  /** Default `hmac-sha256`. */
  readonly algorithm?: "hmac-sha256" | "ed25519";
  /** Of the signature. Default `hex`, in which either case is accepted. */
  readonly encoding?: "hex" | "base64";
  /** Stands in front of each signature, such as `sha256=`. Default `""`. */
  readonly signaturePrefix?: string;
  /** Stands between signatures. Without it the header holds one, and `sign` uses the first secret only. */
  readonly separator?: " " | "," | ";";
  /** How a secret becomes a key; `text` takes its UTF-8 bytes. Default `text`, and `hex` for ed25519. */
  readonly secretFormat?: "text" | "hex" | "base64";
  /** Shorter secrets throw. Default 16; ed25519 keys have fixed lengths. */
  readonly minSecretBytes?: number;
  /** `sign` adds the headers of these schemes, made with the same secrets; `verify` does not look at them. */
  readonly alongside?: readonly Scheme[];
}

/** How one platform signs. The same object serves the Node build and `./web`. */
export interface Scheme {
  readonly name: string;
  readonly signatureHeader: string;
  readonly idHeader: string | undefined;
  readonly timestampHeader: string | undefined;
  readonly timestampField: string | undefined;
  readonly timestampUnit: "seconds" | "milliseconds";
  readonly contentPrefix: ((message: SignedMessage) => string) | undefined;
  readonly hmacPrefix: string | undefined;
  readonly ed25519Prefix: string | undefined;
  readonly encoding: "hex" | "base64";
  readonly separator: string | undefined;
  /** `standard`: `whsec_`, `whsk_` and `whpk_` tell the kind of key. */
  readonly secretFormat: "text" | "hex" | "base64" | "standard";
  readonly minSecretBytes: number;
  readonly alongside: readonly Scheme[];
}

/** Bounds that no scheme can lift, and what is assumed where nothing is said. */
export const DEFAULTS = {
  toleranceSeconds: 300,
  maxSignatures: 16,
  minSecretBytes: 16,
} as const satisfies Record<string, number>;

/**
 * Describes how a platform signs, for `sign` and `verify` of every build.
 *
 * @example
 * const acme = defineScheme({
 *   name: "acme",
 *   timestampHeader: "x-acme-timestamp",
 *   signatureHeader: "x-acme-signature",
 *   signaturePrefix: "v1=",
 *   contentPrefix: ({ timestamp }) => `${timestamp}.`,
 * });
 */
export function defineScheme(definition: SchemeDefinition): Scheme {
  const ed25519 = definition.algorithm === "ed25519";
  const prefix = definition.signaturePrefix ?? "";
  return {
    name: definition.name,
    signatureHeader: definition.signatureHeader.toLowerCase(),
    idHeader: definition.idHeader?.toLowerCase(),
    timestampHeader: definition.timestampHeader?.toLowerCase(),
    timestampField: definition.timestampField,
    timestampUnit: definition.timestampUnit ?? "seconds",
    contentPrefix: definition.contentPrefix,
    hmacPrefix: ed25519 ? undefined : prefix,
    ed25519Prefix: ed25519 ? prefix : undefined,
    encoding: definition.encoding ?? "hex",
    separator: definition.separator,
    secretFormat: definition.secretFormat ?? (ed25519 ? "hex" : "text"),
    minSecretBytes: definition.minSecretBytes ?? DEFAULTS.minSecretBytes,
    alongside: definition.alongside ?? [],
  };
}
