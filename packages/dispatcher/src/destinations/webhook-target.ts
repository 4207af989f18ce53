import type { RequestTls } from "@hookline/core";
import * as signing from "@hookline/webhook-signing";
import { type AddressGuardOptions, isPortAllowed } from "../address-guard.js";
import { DispatcherError, type FieldIssue } from "../errors.js";
import { bodyTemplateIssues } from "./body-template.js";
import { tlsIssues } from "./target-tls.js";

/** Where a webhook goes and what it looks like. */
export interface WebhookTarget {
  /** `https:`, unless the address guard allows `http:`. */
  readonly url: string;
  /** How it is signed. Default `standard-webhooks`. */
  readonly scheme?: WebhookSchemeName;
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

export function schemeOf(target: WebhookTarget): signing.Scheme {
  return SCHEMES[target.scheme ?? "standard-webhooks"];
}

/** Checks a target that a caller gave and answers it with lower-case header names. */
export function parseWebhookTarget(value: unknown, guard: AddressGuardOptions): WebhookTarget {
  if (typeof value !== "object" || value === null) throw invalidTarget([{ path: "target", message: "is an object" }]);
  const { url, scheme, profile, headers, template, tls, ...unknown } = value as Record<string, unknown>;
  const issues: FieldIssue[] = [
    ...Object.keys(unknown).map((name) => ({ path: `target.${name}`, message: "is not known" })),
    ...urlIssues(url, guard),
    ...(template === undefined ? [] : bodyTemplateIssues("target.template", template)),
    ...(tls === undefined ? [] : tlsIssues("target.tls", tls)),
  ];
  if (scheme !== undefined && !(typeof scheme === "string" && Object.hasOwn(SCHEMES, scheme))) {
    issues.push({ path: "target.scheme", message: `is one of ${Object.keys(SCHEMES).join(", ")}` });
  }
  if (profile !== undefined && !PROFILES.some((name) => name === profile)) {
    issues.push({ path: "target.profile", message: `is one of ${PROFILES.join(", ")}` });
  }
  if (issues.length > 0) throw invalidTarget(issues);
  const target = {
    url,
    ...(scheme === undefined ? {} : { scheme }),
    ...(profile === undefined ? {} : { profile }),
    ...(template === undefined ? {} : { template }),
    ...(tls === undefined ? {} : { tls }),
  } as WebhookTarget;
  return headers === undefined ? target : { ...target, headers: parseHeaders(headers, schemeOf(target)) };
}

function urlIssues(url: unknown, { allowHttp = false, ports }: AddressGuardOptions): readonly FieldIssue[] {
  if (typeof url !== "string" || !URL.canParse(url)) return [{ path: "target.url", message: "is a URL" }];
  const parsed = new URL(url);
  const { protocol, username, password } = parsed;
  if (protocol !== "https:" && !(allowHttp && protocol === "http:")) {
    return [{ path: "target.url", message: "has to be https" }];
  }
  if (username !== "" || password !== "") return [{ path: "target.url", message: "carries no credentials" }];
  return isPortAllowed(parsed, ports) ? [] : [{ path: "target.url", message: "has a port that is not allowed" }];
}

function parseHeaders(value: unknown, scheme: signing.Scheme): Readonly<Record<string, string>> {
  if (typeof value !== "object" || value === null) {
    throw invalidTarget([{ path: "target.headers", message: "is an object of strings" }]);
  }
  const signed = [scheme, ...scheme.alongside].flatMap((each) => [
    each.idHeader,
    each.timestampHeader,
    each.signatureHeader,
  ]);
  const headers: Record<string, string> = {};
  const issues: FieldIssue[] = [];
  for (const [name, text] of Object.entries(value)) {
    const lower = name.toLowerCase();
    const path = `target.headers.${name}`;
    if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(lower)) issues.push({ path, message: "is not a header's name" });
    else if (RESERVED.has(lower) || signed.includes(lower)) issues.push({ path, message: "is set by the dispatcher" });
    else if (typeof text !== "string" || !/^[\t\x20-\x7e\x80-\xff]*$/.test(text)) {
      issues.push({ path, message: "is not a header's value" });
    } else headers[lower] = text;
  }
  if (issues.length > 0) throw invalidTarget(issues);
  return headers;
}

function invalidTarget(issues: readonly FieldIssue[]): DispatcherError {
  const [first] = issues;
  return new DispatcherError("invalid_endpoint", `The endpoint's ${first?.path} ${first?.message}.`, { issues });
}
