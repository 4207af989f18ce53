import type { FaultBox } from "./faults.js";
import type { Gateway } from "./gateway/gateway.js";
import type { Interactions } from "./interactions/interactions.js";
import type { ProbeResult } from "./interactions/probe.js";
import type { Authorizations } from "./oauth/authorizations.js";
import type { Grants } from "./oauth/grants.js";
import type { ResolvedOptions } from "./options.js";
import type { FileStore } from "./rest/attached-files.js";
import type { PayloadCheck } from "./rest/payload-check.js";
import type { RateLimits } from "./rest/rate-limits.js";
import type { RequestLog } from "./rest/request-log.js";
import type { Snowflakes } from "./snowflake.js";
import type { WebhookEvents } from "./webhook-events/webhook-events.js";
import type { AuditLog } from "./world/audit-log.js";
import type { Membership } from "./world/membership.js";
import type { MessageStore } from "./world/message-store.js";
import type { World } from "./world/model.js";
import type { PacketBus } from "./world/packet-bus.js";
import type { Threads } from "./world/threads.js";
import type { Voice } from "./world/voice.js";

/** The parts of a running simulator, as its routes and actions see them. */
export interface Simulation {
  readonly options: ResolvedOptions;
  readonly world: World;
  readonly bus: PacketBus;
  readonly messages: MessageStore;
  readonly membership: Membership;
  readonly threads: Threads;
  readonly voice: Voice;
  readonly auditLog: AuditLog;
  readonly gateway: Gateway;
  readonly interactions: Interactions;
  readonly check: PayloadCheck;
  readonly grants: Grants;
  readonly authorizations: Authorizations;
  readonly webhookEvents: WebhookEvents;
  readonly faults: FaultBox;
  readonly rateLimits: RateLimits;
  readonly requests: RequestLog;
  readonly files: FileStore;
  readonly snowflake: Snowflakes;
  readonly now: () => number;
  /** Lets so many milliseconds pass at once. */
  readonly advance: (byMs: number) => void;
  /** `http://host:port`, once it listens. */
  readonly origin: () => string;
  /** Probes the URL and saves it; null removes it. */
  setInteractionsUrl(url: string | null): Promise<ProbeResult>;
  /** Probes the URL and saves it with the types that are sent there; null removes it. */
  setWebhookEvents(url: string | null, types: readonly string[]): Promise<ProbeResult>;
  /** Probes the saved URL once more; one that fails is removed. */
  probeAgain(): Promise<{ readonly ok: boolean; readonly reason: string | null }>;
}
