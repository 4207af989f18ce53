import type { Event } from "@hookline/core";
import type { StoredEvent } from "../stored-event.js";
import type { WebhookProfileName } from "./webhook-target.js";

interface Payload {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Writes the body that is signed and sent: compact, with the data exactly as they are stored. */
export function writePayload(profile: WebhookProfileName, event: Event, userAgent: string): Payload {
  const data = (event as Partial<StoredEvent>).dataText ?? JSON.stringify(event.data);
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
