import type { RequestTls, SchemaIssue, SchemaResult } from "@hookline/core";
import * as signing from "@hookline/webhook-signing";
import { type AddressGuardOptions, isPortAllowed } from "../address-guard.js";
import type { FieldIssue } from "../errors.js";
import { bodyTemplateIssues } from "./body-template.js";
import { tlsIssues } from "./target-tls.js";

/** Where a webhook goes and what it looks like. */
export interface WebhookTarget {
  /** `https:`, unless the address guard allows `http:`. */
  readonly url: string;
  /**
   * How it is signed. Default `standard-webhooks`. Several sign side by side, with the same secrets, each in headers of
   * its own: for a receiver that moves from one to another.
   */
  readonly scheme?: WebhookSchemeName | readonly WebhookSchemeName[];
  /** The shape of the payload. Default `standard`. */
  readonly profile?: WebhookProfileName;
  /** Sent along. Names that the request itself needs, and those of the signature, are refused. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * A Liquid template that writes the body, JSON, instead of the profile: it sees `id`, `type`, `timestamp`, `tenantId`
   * and `data` of the event. What it puts out is escaped for a JSON text, and `| json` writes a value whole.
   */
  readonly template?: string;
  /** Own authorities, and a certificate for a server that asks for one. `key` is never shown again. */
  readonly tls?: RequestTls;
}

export type WebhookSchemeName = keyof typeof SCHEMES;

/** `standard`: Standard Webhooks. `xtsystems` and `support`: the payloads of those two services. */
export type WebhookProfileName = (typeof PROFILES)[number];

const SCHEMES = {
  "standard-webhooks": signing.standardWebhooks,
  svix: signing.svix,
  erxes: signing.erxes,
  xtsystems: signing.xtsystems,
  "ai-support": signing.aiSupport,
  github: signing.github,
  shopify: signing.shopify,
  slack: signing.slack,
  stripe: signing.stripe,
} as const satisfies Record<string, signing.Scheme>;

const PROFILES = ["standard", "xtsystems", "support"] as const;

const RESERVED: ReadonlySet<string> = new Set([
  "host",
  "content-length",
  "content-type",
  "content-encoding",
  "transfer-encoding",
  "connection",
  "keep-alive",
  "upgrade",
  "expect",
  "te",
  "trailer",
  "proxy-authorization",
  "proxy-connection",
  "x-webhook-event",
]);

const sideBySide = new WeakMap<readonly WebhookSchemeName[], signing.Scheme>();

export function schemeOf({ scheme = "standard-webhooks" }: WebhookTarget): signing.Scheme {
  if (typeof scheme === "string") return SCHEMES[scheme];
  let joined = sideBySide.get(scheme);
  if (joined === undefined) {
    const [first, ...others] = scheme.flatMap(signersOf) as [signing.Scheme, ...signing.Scheme[]];
    joined = { ...first, alongside: others };
    sideBySide.set(scheme, joined);
  }
  return joined;
}

/** What a scheme signs with: itself, and what it has alongside. */
function signersOf(name: WebhookSchemeName): readonly signing.Scheme[] {
  const scheme = SCHEMES[name];
  return [scheme, ...scheme.alongside];
}

function headersOf(schemes: readonly signing.Scheme[]): readonly string[] {
  return schemes
    .flatMap((scheme) => [scheme.idHeader, scheme.timestampHeader, scheme.signatureHeader])
    .filter((name) => name !== undefined);
}

/** Checks a target that a caller gave and answers it with lower-case header names. */
export function parseWebhookTarget(value: unknown, guard: AddressGuardOptions): SchemaResult<WebhookTarget> {
  if (typeof value !== "object" || value === null) return { issues: [{ message: "is an object" }] };
  const { url, scheme, profile, headers, template, tls, ...unknown } = value as Record<string, unknown>;
  const isProfile = profile === undefined || PROFILES.some((name) => name === profile);
  const urlFault = faultOfUrl(url, guard);
  const issues: SchemaIssue[] = [
    ...Object.keys(unknown).map((name) => ({ path: [name], message: "is not known" })),
    ...(urlFault === null ? [] : [{ path: ["url"], message: urlFault }]),
    ...(template === undefined ? [] : bodyTemplateIssues("template", template).map(toSchemaIssue)),
    ...(tls === undefined ? [] : tlsIssues("tls", tls).map(toSchemaIssue)),
    ...(scheme === undefined ? [] : schemeIssues(scheme)),
    ...(isProfile ? [] : [{ path: ["profile"], message: `is one of ${PROFILES.join(", ")}` }]),
  ];
  if (issues.length > 0) return { issues };
  const target = {
    url,
    ...(scheme === undefined ? {} : { scheme }),
    ...(profile === undefined ? {} : { profile }),
    ...(template === undefined ? {} : { template }),
    ...(tls === undefined ? {} : { tls }),
  } as WebhookTarget;
  if (headers === undefined) return { value: target };
  const parsed = parseHeaders(headers, schemeOf(target));
  return parsed.issues === undefined ? { value: { ...target, headers: parsed.value } } : parsed;
}

function schemeIssues(scheme: unknown): readonly SchemaIssue[] {
  const known = Object.keys(SCHEMES).join(", ");
  if (!Array.isArray(scheme)) return isSchemeName(scheme) ? [] : [{ path: ["scheme"], message: `is one of ${known}` }];
  if (scheme.length === 0) return [{ path: ["scheme"], message: "names at least one scheme" }];
  const written = new Set<string>();
  return scheme.flatMap((name: unknown, index): SchemaIssue[] => {
    const path = ["scheme", String(index)];
    if (!isSchemeName(name)) return [{ path, message: `is one of ${known}` }];
    const headers = headersOf(signersOf(name));
    const taken = headers.find((header) => written.has(header));
    for (const header of headers) written.add(header);
    return taken === undefined ? [] : [{ path, message: `writes the header ${taken}, which is another one's` }];
  });
}

function isSchemeName(value: unknown): value is WebhookSchemeName {
  return typeof value === "string" && Object.hasOwn(SCHEMES, value);
}

function toSchemaIssue({ path, message }: FieldIssue): SchemaIssue {
  return { path: path.split("."), message };
}

function faultOfUrl(url: unknown, { allowHttp = false, ports }: AddressGuardOptions): string | null {
  if (typeof url !== "string" || !URL.canParse(url)) return "is a URL";
  const parsed = new URL(url);
  const { protocol, username, password } = parsed;
  if (protocol !== "https:" && !(allowHttp && protocol === "http:")) return "has to be https";
  if (username !== "" || password !== "") return "carries no credentials";
  return isPortAllowed(parsed, ports) ? null : "has a port that is not allowed";
}

function parseHeaders(value: unknown, scheme: signing.Scheme): SchemaResult<Readonly<Record<string, string>>> {
  if (typeof value !== "object" || value === null) {
    return { issues: [{ path: ["headers"], message: "is an object of strings" }] };
  }
  const signed = headersOf([scheme, ...scheme.alongside]);
  const headers: Record<string, string> = {};
  const issues: SchemaIssue[] = [];
  for (const [name, text] of Object.entries(value)) {
    const lower = name.toLowerCase();
    const path = ["headers", name];
    if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(lower)) issues.push({ path, message: "is not a header's name" });
    else if (RESERVED.has(lower) || signed.includes(lower)) issues.push({ path, message: "is set by the dispatcher" });
    else if (typeof text !== "string" || !/^[\t\x20-\x7e\x80-\xff]*$/.test(text)) {
      issues.push({ path, message: "is not a header's value" });
    } else headers[lower] = text;
  }
  return issues.length > 0 ? { issues } : { value: headers };
}
