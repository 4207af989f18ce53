import { EngineError } from "../errors.js";

/** Who was connected, as an analytics service may know it. */
export interface IdentifiedPerson {
  readonly contactId: string;
  readonly platformUserId: string;
  /** The property under which the platform user's id is known, such as `discord_id`. */
  readonly identifyPropKey: string;
}

/** How the page that says "You are connected" tells an analytics service who that was. */
export interface AnalyticsAdapter {
  readonly name: string;
  /** JavaScript that is served as a file of its own. It finds `dataFor`'s answer in `document.currentScript.dataset`. */
  readonly script: string;
  /** Where the script sends to: origins such as `https://us.i.posthog.com`. The page's policy allows these and no other. */
  readonly connectSources: readonly string[];
  /** What the script needs, by names of lower-case letters. It stands in the page: no secrets. */
  readonly dataFor: (person: IdentifiedPerson) => Readonly<Record<string, string>>;
}

/** @throws EngineError `invalid_options` for what would loosen the page's policy by more than an origin */
export function checkAnalytics(adapter: AnalyticsAdapter): AnalyticsAdapter {
  const { connectSources } = adapter;
  if (connectSources.length === 0 || !connectSources.every(isOrigin)) {
    throw new EngineError("invalid_options", "analytics.connectSources are origins such as https://us.i.posthog.com.");
  }
  return adapter;
}

function isOrigin(source: string): boolean {
  return /^https?:\/\//.test(source) && URL.canParse(source) && new URL(source).origin === source;
}
