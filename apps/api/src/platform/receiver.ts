import { PLATFORM_EVENTS } from "./platform-api.js";

/** The name under which this app is registered at the platform. */
export const REGISTRATION_NAME = "Hookline Discord";

/** Where the platform posts to this app. */
export function receiverUrl(apiPublicUrl: string): string {
  return `${apiPublicUrl.replace(/\/+$/, "")}/webhooks/xtsystems`;
}

/** True where an app would be told of its own events, and tell itself of those again. */
export function isOwnPlatform(platformUrl: string, apiPublicUrl: string): boolean {
  return new URL(platformUrl).origin === new URL(apiPublicUrl).origin;
}

/** Event types as people write them: separated by commas or spaces; all of them when nothing is written. */
export function readEventTypes(
  written: string | null,
): { readonly ok: true; readonly events: readonly string[] } | { readonly ok: false; readonly unknown: string } {
  const named = [...new Set((written ?? "").split(/[\s,]+/).filter((type) => type !== ""))];
  const known: ReadonlySet<string> = new Set(PLATFORM_EVENTS);
  const unknown = named.find((type) => !known.has(type));
  if (unknown !== undefined) return { ok: false, unknown };
  return { ok: true, events: named.length === 0 ? PLATFORM_EVENTS : named };
}
