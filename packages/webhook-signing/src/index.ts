export type { WebhookBody } from "./body.js";
export {
  isWebhookSecretError,
  isWebhookVerificationError,
  WebhookSecretError,
  type WebhookSecretErrorCode,
  WebhookVerificationError,
  type WebhookVerificationErrorCode,
} from "./errors.js";
export { generateKeyPair, type WebhookKeyPair } from "./generate-key-pair.js";
export { generateSecret } from "./generate-secret.js";
export type { WebhookHeaders } from "./headers.js";
export type { SignOptions } from "./message.js";
export type { Tolerance, VerifyOptions } from "./received.js";
export {
  createMemoryReplayStore,
  createReplayGuard,
  type MemoryReplayStoreOptions,
  type ReplayGuard,
  type ReplayGuardOptions,
  type ReplayStore,
} from "./replay-guard.js";
export { defineScheme, type Scheme, type SchemeDefinition, type SignedMessage } from "./scheme.js";
export {
  aiSupport,
  type BodyHmacOptions,
  bodyHmac,
  discord,
  erxes,
  github,
  shopify,
  slack,
  standardWebhooks,
  stripe,
  svix,
  xtsystems,
} from "./schemes.js";
export { sign } from "./sign.js";
export type { VerifiedWebhook } from "./verified.js";
export { verify } from "./verify.js";
export { verifyAny } from "./verify-any.js";
