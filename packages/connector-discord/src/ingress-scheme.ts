import { defineScheme, type Scheme } from "@hookline/webhook-signing";
import { INGRESS_LIMITS } from "./ingress-contract.js";

/** How the gateway worker signs what it posts to the ingress: `v1=` hex HMAC-SHA256 over `timestamp.body`, seconds; one signature for each secret. */
export const ingressScheme: Scheme = /* @__PURE__ */ defineScheme({
  name: "hookline-ingress",
  timestampHeader: "x-hookline-ingress-timestamp",
  signatureHeader: "x-hookline-ingress-signature",
  signaturePrefix: "v1=",
  // One for each secret, so that both sides may change theirs in any order.
  separator: " ",
  contentPrefix: ({ timestamp }) => `${timestamp}.`,
  minSecretBytes: INGRESS_LIMITS.minSecretCharacters,
});
