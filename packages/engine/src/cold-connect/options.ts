import type { Mailer, Outbox } from "@hookline/core";
import { DEFAULTS } from "../defaults.js";
import { EngineError } from "../errors.js";
import { checkIdentityKind } from "../identity/identity.js";
import { openStore, type Store, type StoreOptions } from "../storage/store.js";
import type { AnalyticsAdapter } from "./analytics.js";

export interface ColdConnectOptions extends StoreOptions {
  readonly outbox: Outbox;
  /** The connector's id, such as `discord`; also the last part of the page's path. */
  readonly connectorId: string;
  /** The kind of identity that the platform's user becomes, such as `discord`. */
  readonly identityKind: string;
  /** The identity's value for a platform user's id. */
  readonly platformKey: (platformUserId: string) => string;
  /** The type of the event that a link publishes, such as `discord.linked`. */
  readonly linkedEvent: string;
  /** The name under which the event's data carries the platform user's id, for analytics to identify by. */
  readonly identifyPropKey: string;
  /** What else the event and the contact get. */
  readonly buildIngest: (binding: Binding) => BindingIngest;
  readonly branding: Branding;
  /**
   * Runs after a link, at least once, as a delivery: it has to be idempotent. A throw and `retry` are tried again by
   * the dispatcher's schedule, `retry` after `retryAfterMs` at the earliest; `dead` says that another try would change
   * nothing, such as when a role is gone.
   */
  readonly afterBind: (bound: Bound) => Promise<void> | Promise<AfterBindOutcome | undefined>;
  /** The type of the event that `unbind` publishes; `{connectorId}.unlinked` when absent. */
  readonly unlinkedEvent?: string;
  /** Runs after each `unbind`, as `afterBind` does; then `unbindDestination` has to be registered with the dispatcher. */
  readonly afterUnbind?: (unbound: Unbound) => Promise<void> | Promise<AfterBindOutcome | undefined>;
  /** How long a confirm link works; 900 when absent. */
  readonly ttlSeconds?: number;
  readonly throttle?: ThrottleOptions;
  /** How long an account may not ask for an address whose owner said "this was not me"; 7 days when absent. */
  readonly blockSeconds?: number;
  /** Who mails the links of `requestConfirm`, and under which address this app is reached. */
  readonly mail?: ConfirmMailing;
  /** Tells an analytics service, from the page, who was connected; nobody is told when absent. */
  readonly analytics?: AnalyticsAdapter;
  /** For `mintConfirm` and `bind` without one; `default` when absent. */
  readonly tenantId?: string;
  /** Contact properties that merge one level deep; the connector's id when absent. */
  readonly mergedProperties?: readonly string[];
}

export interface ConfirmMailing {
  readonly mailer: Mailer;
  /** Such as `https://api.example.com`. */
  readonly apiPublicUrl: string;
}

/** How many confirm links may be asked for within the window. */
export interface ThrottleOptions {
  /** By one platform user; 5 when absent. */
  readonly maxPerUser?: number;
  /** For one address, whatever its capital letters and `+tag`; 3 when absent. */
  readonly maxPerAddress?: number;
  /** 3600 when absent. */
  readonly windowSeconds?: number;
}

/** How the confirm page presents itself. Texts are plain: markup is shown as it is written. */
export interface Branding {
  /** The product that the platform account is connected to. */
  readonly productName: string;
  /** The platform as people call it, such as `Discord`. */
  readonly platformName: string;
  /** `#rrggbb`. */
  readonly accentColor?: string;
  readonly title?: string;
  readonly blurb?: string;
  readonly successCopy?: string;
  /** Shown below each refusal, such as how to ask for a new link. */
  readonly errorCopy?: string;
  /** A short label above the title. */
  readonly badge?: string;
}

/** A platform account and the address that it is bound to. */
export interface Binding {
  readonly tenantId: string;
  readonly platformUserId: string;
  /** As the platform shows it. */
  readonly platformUserName: string;
  /** Normalised. */
  readonly email: string;
}

export interface Bound extends Binding {
  readonly contactId: string;
}

/** An account that was taken away from its contact. */
export interface Unbound {
  readonly tenantId: string;
  readonly platformUserId: string;
  /** Whose it was. */
  readonly contactId: string;
}

/** What `afterBind` and `afterUnbind` may answer when they did not succeed. */
export interface AfterBindOutcome {
  readonly outcome: "retry" | "dead";
  /** Why, for people who read the attempt log. No secrets. */
  readonly reason: string;
  readonly retryAfterMs?: number;
}

export interface BindingIngest {
  readonly eventProperties?: Readonly<Record<string, unknown>>;
  readonly contactProperties?: Readonly<Record<string, unknown>>;
}

export interface ResolvedOptions
  extends Pick<
    ColdConnectOptions,
    | "outbox"
    | "connectorId"
    | "identityKind"
    | "platformKey"
    | "linkedEvent"
    | "identifyPropKey"
    | "buildIngest"
    | "branding"
    | "afterBind"
    | "afterUnbind"
  > {
  readonly store: Store;
  readonly unlinkedEvent: string;
  readonly ttlSeconds: number;
  readonly throttle: Required<ThrottleOptions>;
  readonly blockSeconds: number;
  readonly mail: ConfirmMailing | null;
  readonly analytics: AnalyticsAdapter | null;
  readonly tenantId: string;
  readonly mergedProperties: ReadonlySet<string>;
}

const CONNECTOR_ID = /^[a-z][a-z0-9-]{0,63}$/;
const COLOR = /^#[0-9a-f]{6}$/i;
const DEFAULT_COLOR = "#4f46e5";

/** @throws EngineError `invalid_options` */
export function resolveOptions(options: ColdConnectOptions): ResolvedOptions & { branding: { accentColor: string } } {
  const { connectorId, branding, ttlSeconds = DEFAULTS.confirmTtlSeconds } = options;
  const throttle = { ...DEFAULTS.throttle, ...options.throttle };
  if (!CONNECTOR_ID.test(connectorId)) refuse("connectorId is lower-case letters, digits and -");
  const { blockSeconds = DEFAULTS.confirmBlockSeconds } = options;
  if (!(ttlSeconds > 0)) refuse("ttlSeconds is more than 0");
  if (!(blockSeconds > 0)) refuse("blockSeconds is more than 0");
  if (options.mail && !URL.canParse(options.mail.apiPublicUrl)) refuse("mail.apiPublicUrl is a URL");
  if (Object.values(throttle).some((value) => !(Number.isInteger(value) && value > 0))) {
    refuse("throttle takes whole numbers above 0");
  }
  const accentColor = branding.accentColor ?? DEFAULT_COLOR;
  if (!COLOR.test(accentColor)) refuse("branding.accentColor is #rrggbb");
  return {
    outbox: options.outbox,
    connectorId,
    identityKind: checkIdentityKind(options.identityKind),
    platformKey: options.platformKey,
    linkedEvent: options.linkedEvent,
    identifyPropKey: options.identifyPropKey,
    buildIngest: options.buildIngest,
    branding: { ...branding, accentColor },
    afterBind: options.afterBind,
    unlinkedEvent: options.unlinkedEvent ?? `${connectorId}.unlinked`,
    ...(options.afterUnbind ? { afterUnbind: options.afterUnbind } : {}),
    store: openStore(options),
    ttlSeconds,
    throttle,
    blockSeconds,
    mail: options.mail ?? null,
    analytics: options.analytics ?? null,
    tenantId: options.tenantId ?? DEFAULTS.tenantId,
    mergedProperties: new Set(options.mergedProperties ?? [connectorId]),
  };
}

function refuse(message: string): never {
  throw new EngineError("invalid_options", message);
}
