import type { FaultBox } from "./faults.js";
import type { Gateway } from "./gateway/gateway.js";
import type { Interactions } from "./interactions/interactions.js";
import type { ProbeResult } from "./interactions/probe.js";
import type { Grants } from "./oauth/grants.js";
import type { ResolvedOptions } from "./options.js";
import type { FileStore } from "./rest/attached-files.js";
import type { PayloadCheck } from "./rest/payload-check.js";
import type { RequestLog } from "./rest/request-log.js";
import type { Snowflakes } from "./snowflake.js";
import type { Membership } from "./world/membership.js";
import type { MessageStore } from "./world/message-store.js";
import type { World } from "./world/model.js";
import type { PacketBus } from "./world/packet-bus.js";

/** The parts of a running simulator, as its routes and actions see them. */
export interface Simulation {
  readonly options: ResolvedOptions;
  readonly world: World;
  readonly bus: PacketBus;
  readonly messages: MessageStore;
  readonly membership: Membership;
  readonly gateway: Gateway;
  readonly interactions: Interactions;
  readonly check: PayloadCheck;
  readonly grants: Grants;
  readonly faults: FaultBox;
  readonly requests: RequestLog;
  readonly files: FileStore;
  readonly snowflake: Snowflakes;
  readonly now: () => number;
  /** `http://host:port`, once it listens. */
  readonly origin: () => string;
  /** Probes the URL and saves it; null removes it. */
  setInteractionsUrl(url: string | null): Promise<ProbeResult>;
  /** Probes the saved URL once more; one that fails is removed. */
  probeAgain(): Promise<{ readonly ok: boolean; readonly reason: string | null }>;
}
