import { X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { RequestTls } from "@hookline/core";
import type { FieldIssue } from "../errors.js";

const MAX_CHARACTERS = 65_536;
const FIELDS = ["ca", "cert", "key"] as const;

/** What is wrong with authorities, certificate and key that a caller gave. No message repeats any of them. */
export function tlsIssues(path: string, value: unknown): readonly FieldIssue[] {
  if (typeof value !== "object" || value === null) return [{ path, message: "is an object" }];
  const given = value as Record<string, unknown>;
  const issues: FieldIssue[] = Object.keys(given)
    .filter((name) => !FIELDS.some((field) => field === name))
    .map((name) => ({ path: `${path}.${name}`, message: "is not known" }));
  for (const field of FIELDS) {
    const text = given[field];
    if (text === undefined) continue;
    if (typeof text !== "string" || text.length > MAX_CHARACTERS || !text.includes("-----BEGIN ")) {
      issues.push({ path: `${path}.${field}`, message: "is a text in PEM" });
    }
  }
  if (issues.length > 0) return issues;
  const { ca, cert, key } = given as RequestTls;
  if ((cert === undefined) !== (key === undefined)) {
    return [{ path: `${path}.${cert === undefined ? "cert" : "key"}`, message: "is needed beside the other one" }];
  }
  if (ca !== undefined && !holdsCertificates(ca)) return [{ path: `${path}.ca`, message: "holds no certificate" }];
  try {
    createSecureContext(definedOnly({ ca, cert, key }));
    return [];
  } catch {
    // OpenSSL's own message may name what is in the key.
    return [{ path: `${path}.cert`, message: "and key are no certificate with its private key, without a passphrase" }];
  }
}

/** The certificate's key is never shown. */
export function withoutKey(target: unknown): unknown {
  const tls = (target as { readonly tls?: RequestTls } | null)?.tls;
  if (tls?.key === undefined) return target;
  const { key: _key, ...shown } = tls;
  return { ...(target as object), tls: shown };
}

/** A target as it was read has no key: with the same certificate, it keeps the one that is known. */
export function withKnownKey(changed: unknown, known: unknown): unknown {
  const next = (changed as { readonly tls?: RequestTls } | null)?.tls;
  const before = (known as { readonly tls?: RequestTls } | null)?.tls;
  const keeps = next?.cert !== undefined && next.key === undefined && next.cert === before?.cert;
  return keeps && before?.key !== undefined ? { ...(changed as object), tls: { ...next, key: before.key } } : changed;
}

function holdsCertificates(pem: string): boolean {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  try {
    for (const block of blocks) new X509Certificate(block);
    return blocks.length > 0;
  } catch {
    return false;
  }
}

function definedOnly(tls: { readonly [Name in keyof RequestTls]: RequestTls[Name] | undefined }): RequestTls {
  return Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
}
