import { EngineError } from "../errors.js";
import type { AnalyticsAdapter } from "./analytics.js";

export interface PostHogOptions {
  /** The project's public key, `phc_…`. */
  readonly projectKey: string;
  /** Where events go; `https://us.i.posthog.com` when absent. */
  readonly host?: string;
}

const PROJECT_KEY = /^phc_[A-Za-z0-9]{1,100}$/;

/**
 * Identifies the contact at PostHog, by the contact's id, with the platform user's id as a property. A visitor whom
 * PostHog knows on this origin without a name becomes that person. Nothing of PostHog's is loaded: the page sends one event.
 *
 * @throws EngineError `invalid_options`
 * @see https://posthog.com/docs/api/capture
 * @example
 * createColdConnect({ ...options, analytics: postHogAnalytics({ projectKey: "phc_…" }) });
 */
export function postHogAnalytics({ projectKey, host = "https://us.i.posthog.com" }: PostHogOptions): AnalyticsAdapter {
  if (!PROJECT_KEY.test(projectKey)) {
    throw new EngineError("invalid_options", "projectKey is PostHog's public project key, phc_…");
  }
  if (!URL.canParse(host) || new URL(host).origin !== host) {
    throw new EngineError("invalid_options", "host is an origin such as https://us.i.posthog.com");
  }
  return {
    name: "posthog",
    script: SCRIPT,
    connectSources: [host],
    dataFor: ({ contactId, platformUserId, identifyPropKey }) => ({
      key: projectKey,
      host,
      contact: contactId,
      name: identifyPropKey,
      value: platformUserId,
    }),
  };
}

/** As text/plain, which a browser sends elsewhere without asking first. */
const SCRIPT = `(() => {
  const { key, host, contact, name, value } = document.currentScript.dataset;
  const knownAs = () => {
    const cookie = document.cookie.split("; ").find((one) => one.startsWith("ph_" + key + "_posthog="));
    try {
      return cookie ? JSON.parse(decodeURIComponent(cookie.slice(cookie.indexOf("=") + 1))).distinct_id : undefined;
    } catch {
      return undefined;
    }
  };
  const anonymous = knownAs();
  const properties = { $set: { [name]: value } };
  if (typeof anonymous === "string") properties.$anon_distinct_id = anonymous;
  const event = { api_key: key, event: "$identify", distinct_id: contact, timestamp: new Date().toISOString(), properties };
  fetch(host + "/i/v0/e/", {
    method: "POST",
    mode: "no-cors",
    credentials: "omit",
    keepalive: true,
    headers: { "content-type": "text/plain" },
    body: JSON.stringify(event),
  }).catch(() => {});
})();
`;
