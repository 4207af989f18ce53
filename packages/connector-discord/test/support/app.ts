import type {
  ConnectorContext,
  Destination,
  DirectSend,
  EventInput,
  IngestInput,
  IngestResult,
  Logger,
  Transaction,
} from "@hookline/core";
import { sign } from "@hookline/webhook-signing";
import nacl from "tweetnacl";
import {
  createDiscordConnector,
  type DiscordConnector,
  type DiscordConnectorOptions,
  ingressScheme,
} from "../../src/index.js";
import type { Json } from "./json.js";
import { createKeptState } from "./kept-state.js";
import { type RecordingDiscord, startRecordingDiscord } from "./recording-discord.js";
import { serve } from "./serve.js";

export const APPLICATION_ID = "100000000000000001";
export const GUILD_ID = "200000000000000001";
export const CHANNEL_ID = "300000000000000001";
export const INGRESS_SECRET = "ingress-secret-with-more-than-32-characters";
export const COMPONENT_SECRET = "component-secret-of-more-than-32-characters";
export const BOT_TOKEN = "bot-token-that-must-not-appear-anywhere";
export const INTERACTION_TOKEN = "interaction-token-that-must-not-appear-anywhere";

const keys = nacl.sign.keyPair();

/** An id that Discord could have made now, or `ageMs` ago. */
let sequence = 0n;
export function snowflake(atMs = Date.now()): string {
  sequence = (sequence + 1n) & 0xfffn;
  return String(((BigInt(atMs) - 1_420_070_400_000n) << 22n) | sequence);
}

export interface TestApp {
  readonly url: string;
  readonly connector: DiscordConnector;
  readonly discord: RecordingDiscord;
  readonly ingested: IngestInput[];
  readonly published: EventInput[];
  readonly sent: DirectSend[];
  /** Everything that was logged, as one text. */
  readonly log: string[];
  /** Runs what was sent, as the dispatcher would, until it is delivered or dead; answers each delivery's outcomes. */
  deliver(options?: { readonly maxAttempts?: number }): Promise<string[][]>;
  /** Passes every open delivery's deadline. */
  expire(): Promise<void>;
  interact(interaction: object, options?: InteractOptions): Promise<{ status: number; body: Json }>;
  ingress(items: readonly object[], options?: IngressOptions): Promise<{ status: number; body: Json }>;
  close(): Promise<void>;
}

export interface InteractOptions {
  readonly timestamp?: number;
  readonly tamper?: boolean;
  readonly headers?: Record<string, string>;
  readonly rawBody?: string;
}

export interface IngressOptions {
  readonly secret?: string;
  readonly timestamp?: number;
  readonly rawBody?: string;
  readonly contentType?: string;
  readonly headers?: Record<string, string>;
}

export type ContextChange = Partial<Pick<ConnectorContext, "acceptOnce" | "countUse" | "ingest" | "state">> & {
  readonly send?: (message: DirectSend) => Promise<void>;
};

/** The connector's routes on a real server, with contact store and outbox kept in memory. */
export async function startApp(
  change: Partial<DiscordConnectorOptions> = {},
  contextChange: ContextChange = {},
): Promise<TestApp> {
  const discord = await startRecordingDiscord();
  const ingested: IngestInput[] = [];
  const published: EventInput[] = [];
  const sent: DirectSend[] = [];
  const log: string[] = [];
  const logger = recordingLogger(log);
  const known = new Map<string, { readonly eventId: string; readonly content: string }>();
  const accepted = new Set<string>();
  const connector = createDiscordConnector({
    applicationId: APPLICATION_ID,
    clientSecret: "client-secret-that-must-not-appear-anywhere",
    publicKeyHex: Buffer.from(keys.publicKey).toString("hex"),
    ingressSecrets: [INGRESS_SECRET],
    componentSecret: COMPONENT_SECRET,
    redirectUri: "http://127.0.0.1/v1/connectors/discord/oauth/callback",
    studioIntegrationsUrl: "http://127.0.0.1/studio/integrations",
    saveDerived: async () => {},
    resolveContact: async () => {},
    requestConfirm: async () => ({ ok: true }),
    restBaseUrl: discord.restBaseUrl,
    botToken: BOT_TOKEN,
    logger,
    ...change,
  });
  const context: ConnectorContext = {
    logger,
    state: contextChange.state ?? createKeptState(),
    transaction: (work) => work(KEPT_IN_MEMORY),
    ingest:
      contextChange.ingest ??
      (async (inputs, options) => {
        await options?.before?.(KEPT_IN_MEMORY);
        return inputs.map((input): IngestResult => {
          const first = known.get(input.idempotencyKey);
          if (first !== undefined) {
            // As the dispatcher does: a key stands for one content.
            return first.content === JSON.stringify([input.type, input.data])
              ? { status: "duplicate", eventId: first.eventId, contactId: "con_1" }
              : { status: "rejected", code: "idempotency_conflict", message: "The key stands for another event." };
          }
          const eventId = `evt_${ingested.push(input)}`;
          known.set(input.idempotencyKey, { eventId, content: JSON.stringify([input.type, input.data]) });
          return { status: "stored", eventId, contactId: "con_1" };
        });
      }),
    acceptOnce:
      contextChange.acceptOnce ??
      (async (key) => {
        const first = !accepted.has(key);
        accepted.add(key);
        return first;
      }),
    countUse: contextChange.countUse ?? countingUses(),
    outbox: {
      publish: async (event) => ({ id: `evt_${published.push(event)}`, duplicate: false }),
      publishMany: async (events) =>
        events.map((event) => {
          const duplicate = published.some(
            (one) => one.tenantId === event.tenantId && one.idempotencyKey === event.idempotencyKey,
          );
          if (!duplicate) published.push(event);
          return { id: "evt_1", duplicate };
        }),
      publishEach: async (events) =>
        events.map((event) => ({ status: "published", id: `evt_${published.push(event)}`, duplicate: false })),
      async send(message) {
        await contextChange.send?.(message);
        const { idempotencyKey: key, tenantId } = message;
        const duplicate =
          key !== undefined && sent.some((one) => one.idempotencyKey === key && one.tenantId === tenantId);
        if (!duplicate) sent.push(message);
        return { deliveryId: "dlv_1", duplicate };
      },
      subscribe: async () => ({ endpointId: "ep_1" }),
      unsubscribe: async () => true,
    },
  };
  const served = await serve(async (request) => {
    const path = new URL(request.url).pathname.replace("/v1/connectors/discord", "");
    const route = connector.routes.find((one) => one.path === path && one.method === request.method);
    return route === undefined ? new Response(null, { status: 404 }) : route.handle(request, context);
  });

  const contextOf = (message: DirectSend, attempt: number) => ({
    endpoint: { id: null, tenantId: message.tenantId, target: roundTrip(message.target), secrets: [] },
    state: null,
    deliveryId: "dlv_1",
    attempt,
    now: new Date(),
    signal: AbortSignal.timeout(15_000),
  });
  const eventOf = (message: DirectSend) => ({
    id: "evt_1",
    type: message.destination,
    timestamp: new Date().toISOString(),
    tenantId: message.tenantId,
    data: roundTrip(message.data),
  });
  const destinationOf = (message: DirectSend): Destination => {
    const destination = connector.destinations.find((one) => one.id === message.destination);
    if (destination === undefined) throw new Error(`No destination ${message.destination}`);
    return destination;
  };

  return {
    url: served.url,
    connector,
    discord,
    ingested,
    published,
    sent,
    log,
    async deliver({ maxAttempts = 6 } = {}) {
      const all: string[][] = [];
      for (const message of sent.splice(0)) {
        const outcomes: string[] = [];
        for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
          const plan = await destinationOf(message).plan(eventOf(message), contextOf(message, attempt));
          if (plan?.kind !== "run") throw new Error("A follow-up is a run.");
          const { outcome } = await plan.run();
          outcomes.push(outcome);
          if (outcome !== "retry") break;
        }
        all.push(outcomes);
      }
      return all;
    },
    async expire() {
      for (const message of sent.splice(0)) {
        await destinationOf(message).expire?.(eventOf(message), contextOf(message, 2));
      }
    },
    async interact(interaction, options = {}) {
      const body = options.rawBody ?? JSON.stringify(interaction);
      const timestamp = String(options.timestamp ?? Math.floor(Date.now() / 1000));
      const signature = nacl.sign.detached(Buffer.from(timestamp + body), keys.secretKey);
      const response = await fetch(`${served.url}/interactions`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-signature-timestamp": timestamp,
          "x-signature-ed25519": Buffer.from(signature).toString("hex"),
          ...options.headers,
        },
        body: options.tamper ? `${body} ` : body,
      });
      return { status: response.status, body: await response.json() };
    },
    async ingress(items, options = {}) {
      const body = options.rawBody ?? JSON.stringify({ items });
      const response = await fetch(`${served.url}/ingress`, {
        method: "POST",
        headers: {
          "content-type": options.contentType ?? "application/json",
          ...sign(body, {
            scheme: ingressScheme,
            secrets: [options.secret ?? INGRESS_SECRET],
            timestamp: options.timestamp ?? Math.floor(Date.now() / 1000),
          }),
          ...options.headers,
        },
        body,
      });
      return { status: response.status, body: await response.json() };
    },
    async close() {
      await served.close();
      await discord.close();
    },
  };
}

const KEPT_IN_MEMORY: Transaction = {
  query: () => Promise.reject(new Error("There is no database.")),
};

/** As the engine counts: a window begins with its first use. */
function countingUses(): ConnectorContext["countUse"] {
  const windows = new Map<string, { uses: number; endsAtMs: number }>();
  return async ({ key, max, windowSeconds }) => {
    const nowMs = Date.now();
    const known = windows.get(key);
    const window = known && known.endsAtMs > nowMs ? known : { uses: 0, endsAtMs: nowMs + windowSeconds * 1_000 };
    window.uses += 1;
    windows.set(key, window);
    return { allowed: window.uses <= max, resetMs: window.endsAtMs - nowMs };
  };
}

const roundTrip = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));

function recordingLogger(log: string[]): Logger {
  const write = (level: string) => (fields: object, message: string) => {
    log.push(
      `${level} ${message} ${JSON.stringify(fields, (_key, value) =>
        value instanceof Error ? { ...value, text: String(value), stack: value.stack } : value,
      )}`,
    );
  };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}

/** What Discord sends for a member of the server. */
export function interaction(type: number, data: unknown, change: object = {}): object {
  return {
    id: snowflake(),
    application_id: APPLICATION_ID,
    type,
    token: INTERACTION_TOKEN,
    version: 1,
    guild_id: GUILD_ID,
    channel_id: CHANNEL_ID,
    locale: "en-US",
    member: {
      user: { id: "400000000000000001", username: "anna", global_name: "Anna" },
      roles: ["500000000000000001"],
      permissions: "0",
      nick: null,
    },
    data,
    ...change,
  };
}

export const slash = (name: string, change: object = {}) =>
  interaction(
    2,
    { id: snowflake(), name, type: 1, ...("options" in change ? { options: change.options } : {}) },
    change,
  );

export const press = (customId: string, change: object = {}) =>
  interaction(
    3,
    { custom_id: customId, component_type: 2 },
    { message: { id: "600000000000000001", channel_id: CHANNEL_ID, content: "before" }, ...change },
  );

/** A choice in a menu; `type` is Discord's number of the menu, 3 for one with options of its own. */
export const choose = (
  customId: string,
  { values, type = 3, resolved }: { values: readonly string[]; type?: number; resolved?: object },
) =>
  interaction(
    3,
    { custom_id: customId, component_type: type, values, ...(resolved === undefined ? {} : { resolved }) },
    { message: { id: "600000000000000001", channel_id: CHANNEL_ID, content: "before" } },
  );

/** Fields as Discord sends them: a label around each. */
export const submit = (
  customId: string,
  fields: Readonly<
    Record<string, string | readonly string[] | { readonly type: number; readonly [key: string]: unknown }>
  >,
  change: object = {},
) =>
  interaction(
    5,
    {
      custom_id: customId,
      ...("resolved" in change ? { resolved: change.resolved } : {}),
      components: Object.entries(fields).map(([name, value]) => ({
        type: 18,
        id: 1,
        component:
          typeof value === "string"
            ? { type: 4, id: 2, custom_id: name, value }
            : "type" in value
              ? { id: 2, custom_id: name, ...value }
              : { type: 3, id: 2, custom_id: name, values: value },
      })),
    },
    change,
  );
