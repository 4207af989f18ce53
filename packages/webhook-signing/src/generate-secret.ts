/**
 * A new secret for Standard Webhooks: `whsec_` and 32 random bytes in base64. As text it also serves every scheme
 * that takes a text secret.
 */
export function generateSecret(): string {
  return `whsec_${btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))}`;
}
