import type { Event } from "@hookline/core";
import type { StoredEvent } from "../stored-event.js";
import type { WebhookProfileName } from "./webhook-target.js";

interface Payload {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What XTSystems tells of with its fields directly under `data`. */
const SPREAD_SUBJECTS: ReadonlySet<string> = new Set(["ticket", "asset", "user", "company", "machine", "alert"]);
/** What the AI Support Autoresponder puts under a name of its own. */
const NAMED_SUBJECTS: ReadonlySet<string> = new Set(["ticket", "conversation", "feedback"]);

/**
 * Writes the body that is signed and sent: compact, with the data as they are stored. The two services differ in where
 * they put what an event is about: `{ title }` of one is `{ ticket: { title } }` of the other, so each gets its own.
 */
export function writePayload(profile: WebhookProfileName, event: Event, userAgent: string): Payload {
  const data = dataFor(profile, event);
  const type = JSON.stringify(event.type);
  switch (profile) {
    case "standard":
      return {
        body: `{"type":${type},"timestamp":"${event.timestamp}","data":${data}}`,
        headers: { "user-agent": userAgent },
      };
    case "xtsystems": {
      const seconds = Math.floor(Date.parse(event.timestamp) / 1000);
      return {
        body: `{"event_type":${type},"data":${data},"company_id":${JSON.stringify(event.tenantId)},"timestamp":${seconds}}`,
        headers: { "user-agent": "XTSystems-Webhook/1.0" },
      };
    }
    case "support":
      return {
        body: `{"event":${type},"timestamp":"${event.timestamp}","data":${data}}`,
        headers: { "user-agent": "AI-Support-Autoresponder/1.0", "x-webhook-event": event.type },
      };
  }
}

function dataFor(profile: WebhookProfileName, event: Event): string {
  const text = (event as Partial<StoredEvent>).dataText ?? JSON.stringify(event.data);
  const [subject = ""] = event.type.split(".", 1);
  if (profile === "xtsystems" && SPREAD_SUBJECTS.has(subject)) {
    const { data } = event;
    const isOnlySubject = isObject(data) && isObject(data[subject]) && Object.keys(data).length === 1;
    return isOnlySubject ? JSON.stringify(data[subject]) : text;
  }
  if (profile === "support" && NAMED_SUBJECTS.has(subject)) {
    const { data } = event;
    return isObject(data) && isObject(data[subject]) ? text : `{${JSON.stringify(subject)}:${text}}`;
  }
  return text;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
