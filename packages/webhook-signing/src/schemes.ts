import { defineScheme, type Scheme, type SchemeDefinition, type SignedMessage } from "./scheme.js";

/** What {@link bodyHmac} takes: only `signatureHeader` is needed. */
export type BodyHmacOptions = Pick<
  SchemeDefinition,
  "signatureHeader" | "signaturePrefix" | "encoding" | "secretFormat" | "minSecretBytes" | "alongside"
> & { readonly name?: string };

/**
 * HMAC-SHA256 over the body alone, in one header. Nothing in such a request tells when it was signed: whoever caught
 * one can send it again. Against that, keep what is unique in the verified body, or the signature in lower case, in a
 * replay guard; other headers (GitHub's delivery id) are not signed.
 *
 * @example
 * const acme = bodyHmac({ signatureHeader: "x-acme-signature", signaturePrefix: "sha256=" });
 */
export function bodyHmac(options: BodyHmacOptions): Scheme {
  return defineScheme({ name: "body-hmac", ...options });
}

const idAndTimestamp = ({ id, timestamp }: SignedMessage) => `${id}.${timestamp}.`;
const timestampDot = ({ timestamp }: SignedMessage) => `${timestamp}.`;
const timestampOnly = ({ timestamp }: SignedMessage) => timestamp;

const standard = (name: string, headers: string): Scheme => ({
  ...defineScheme({
    name,
    idHeader: `${headers}-id`,
    timestampHeader: `${headers}-timestamp`,
    signatureHeader: `${headers}-signature`,
    contentPrefix: idAndTimestamp,
    encoding: "base64",
    signaturePrefix: "v1,",
    separator: " ",
    minSecretBytes: 24,
  }),
  ed25519Prefix: "v1a,",
  secretFormat: "standard",
});

/**
 * Standard Webhooks, v1 and v1a: `whsec_` secrets sign and verify v1, `whsk_` keys sign v1a, `whpk_` keys verify it.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export const standardWebhooks: Scheme = /* @__PURE__ */ standard("standard-webhooks", "webhook");

/** Standard Webhooks under Svix's own header names (`svix-id` …), as Svix and services built on it send. */
export const svix: Scheme = /* @__PURE__ */ standard("svix", "svix");

/**
 * erxes. `sign` makes the documented headers and those that its server really checks (`x-hub-signature-256` over the
 * body, `x-timestamp` in milliseconds); `verify` checks the documented ones, in which the timestamp is signed.
 */
export const erxes: Scheme = /* @__PURE__ */ defineScheme({
  name: "erxes",
  timestampHeader: "x-erxes-timestamp",
  signatureHeader: "x-erxes-signature",
  signaturePrefix: "sha256=",
  contentPrefix: timestampDot,
  alongside: [
    /* @__PURE__ */ defineScheme({
      name: "erxes-server",
      timestampHeader: "x-timestamp",
      timestampUnit: "milliseconds",
      signatureHeader: "x-hub-signature-256",
      signaturePrefix: "sha256=",
    }),
  ],
});

/**
 * XTSystems: hex over the timestamp directly followed by the body. Its secrets are chosen by people (that of its guide has
 * 14 characters), so 8 bytes are enough here.
 */
export const xtsystems: Scheme = /* @__PURE__ */ defineScheme({
  name: "xtsystems",
  timestampHeader: "x-xtsystems-timestamp",
  signatureHeader: "x-xtsystems-signature",
  signaturePrefix: "sha256=",
  contentPrefix: timestampOnly,
  minSecretBytes: 8,
});

/** AI Support Autoresponder: plain hex over the body. */
export const aiSupport: Scheme = /* @__PURE__ */ bodyHmac({
  name: "ai-support",
  signatureHeader: "x-webhook-signature",
});

/** GitHub, also Gitea and Forgejo. Its secrets are chosen by people, so 8 bytes are enough here. */
export const github: Scheme = /* @__PURE__ */ bodyHmac({
  name: "github",
  signatureHeader: "x-hub-signature-256",
  signaturePrefix: "sha256=",
  minSecretBytes: 8,
});

/** Shopify: base64 over the body. */
export const shopify: Scheme = /* @__PURE__ */ bodyHmac({
  name: "shopify",
  signatureHeader: "x-shopify-hmac-sha256",
  encoding: "base64",
});

/**
 * Slack's requests: slash commands, interactivity, Events API.
 *
 * @see https://docs.slack.dev/authentication/verifying-requests-from-slack
 */
export const slack: Scheme = /* @__PURE__ */ defineScheme({
  name: "slack",
  timestampHeader: "x-slack-request-timestamp",
  signatureHeader: "x-slack-signature",
  signaturePrefix: "v0=",
  contentPrefix: ({ timestamp }) => `v0:${timestamp}:`,
});

/**
 * Stripe. The endpoint's secret is used as it is, `whsec_` included.
 *
 * @see https://docs.stripe.com/webhooks/signature
 */
export const stripe: Scheme = /* @__PURE__ */ defineScheme({
  name: "stripe",
  signatureHeader: "stripe-signature",
  timestampField: "t=",
  signaturePrefix: "v1=",
  separator: ",",
  contentPrefix: timestampDot,
});

/**
 * Discord's interactions and Webhook Events: ed25519. To verify, a secret is the application's public key (64 hex
 * digits); to sign, in tests and simulators, a private key with its public half (128 hex digits).
 *
 * @see https://discord.com/developers/docs/interactions/overview#setting-up-an-endpoint-validating-security-request-headers
 */
export const discord: Scheme = /* @__PURE__ */ defineScheme({
  name: "discord",
  algorithm: "ed25519",
  timestampHeader: "x-signature-timestamp",
  signatureHeader: "x-signature-ed25519",
  contentPrefix: timestampOnly,
});
