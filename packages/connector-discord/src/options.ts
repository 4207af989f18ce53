import { DiscordConnectorError } from "./errors.js";
import { INGRESS_LIMITS } from "./ingress-contract.js";

/** A secret of ours is 32 characters or more. Throws `invalid_option`, without the secret. */
export function assertSecret(name: string, secret: unknown): asserts secret is string {
  const least = INGRESS_LIMITS.minSecretCharacters;
  if (typeof secret === "string" && secret.length >= least) return;
  const what = typeof secret === "string" ? `has ${secret.length} characters` : "is missing";
  throw new DiscordConnectorError("invalid_option", `${name} ${what}; it takes at least ${least}.`);
}

export function assertOption(holds: boolean, message: string): asserts holds {
  if (!holds) throw new DiscordConnectorError("invalid_option", message);
}

/** An http(s) address without a slash at its end. Throws `invalid_option`. */
export function checkBaseUrl(name: string, url: string): string {
  assertOption(URL.canParse(url) && /^https?:$/.test(new URL(url).protocol), `${name} is not an http(s) URL.`);
  return url.replace(/\/+$/, "");
}
