import {
  type AnyCommand,
  code,
  type DiscordInteraction,
  defineCommand,
  type Markdown,
  type MessageEmbed,
  markdown,
  type ReplyAnswer,
  reply,
} from "@hookline/connector-discord";
import type { Dispatcher } from "@hookline/dispatcher";
import type { Sources } from "@hookline/engine";
import { PLATFORM_EVENTS, type PlatformApi, type PlatformWebhook, sentence } from "./platform-api.js";
import { REGISTRATION_NAME, readEventTypes } from "./receiver.js";

export interface WebhookCommandsOptions {
  readonly tenantId: string;
  /** Null where no platform is configured. */
  readonly platform: { readonly url: string; readonly api: PlatformApi } | null;
  /** Where the platform posts to. */
  readonly receiverUrl: string;
  /** What it has to sign with; null closes the receiver. */
  readonly secret: string | null;
  /** Channel ids by event type. */
  readonly channels: Readonly<Record<string, readonly string[]>>;
  /** Asked for when a command runs: the engine is made after the commands. */
  readonly sources: () => Sources;
  readonly health: Dispatcher["health"];
}

const STAFF = {
  visibleTo: ["ManageGuild"],
  requires: ["ManageGuild"],
  refusal: "Only members who may manage this server can look after its webhooks.",
  answer: "deferred",
} as const;

/** Each is a request to the platform. */
const COOLDOWN = { seconds: 60, uses: 3 } as const;

const COLORS = { fine: 0x2ecc71, trouble: 0xe67e22 } as const;
const NO_PLATFORM = 'No platform is connected. "npm run setup-webhook" in apps/api connects one.';

const OTHERS = "The platform belongs to other servers, not to this one.";

/**
 * `/webhook-status`, `/webhook-config`, `/register-webhook` and `/test-webhook`, for members who may manage a server of
 * the platform's tenant: to those of other tenants they say nothing.
 */
export function createWebhookCommands(options: WebhookCommandsOptions): readonly AnyCommand[] {
  const { platform, receiverUrl, secret } = options;

  const inOwnServers =
    <Interaction extends DiscordInteraction>(run: (interaction: Interaction) => Promise<ReplyAnswer>) =>
    async (interaction: Interaction) =>
      interaction.tenantId === options.tenantId ? await run(interaction) : reply(OTHERS);

  /** The webhook that was made for this app; a sentence where there is none. */
  async function registration(): Promise<PlatformWebhook | string> {
    if (platform === null) return NO_PLATFORM;
    const answer = await platform.api.list();
    if (!answer.ok) return answer.message;
    const known = answer.value.find(({ url }) => url === receiverUrl);
    return known ?? "This app is not registered at the platform. /register-webhook does it.";
  }

  const status = defineCommand({
    name: "webhook-status",
    description: "Tell whether webhooks come in and go out",
    ...STAFF,
    cooldown: COOLDOWN,
    run: inOwnServers(async () => {
      const known = await registration();
      const reached = typeof known !== "string" && known.active;
      const fields = [
        { name: "Receiver", value: secret === null ? closed : markdown`open at ${code(receiverUrl)}` },
        { name: "Last received", value: (await lastReceived(options)) ?? "nothing yet" },
        { name: "Platform", value: typeof known === "string" ? known : `${platform?.url} answers and takes the key` },
        { name: "Registration", value: typeof known === "string" ? "–" : describe(known) },
        { name: "Last delivery to us", value: typeof known === "string" ? "–" : await lastDelivery(platform, known) },
        { name: "Deliveries of this app", value: await ownDeliveries(options) },
      ];
      return embed({
        title: "Webhook status",
        color: reached && secret !== null ? COLORS.fine : COLORS.trouble,
        fields,
      });
    }),
  });

  const config = defineCommand({
    name: "webhook-config",
    description: "Show how webhooks are configured, without their secrets",
    ...STAFF,
    run: inOwnServers(async () => {
      const known = await registration();
      return embed({
        title: "Webhook configuration",
        fields: [
          { name: "Receiving address", value: code(receiverUrl) },
          { name: "Secret", value: secret === null ? closed : "set" },
          { name: "Platform", value: platform?.url ?? NO_PLATFORM },
          { name: "Events", value: typeof known === "string" ? known : known.events.join(", ") },
          { name: "Channels", value: channelList(options.channels) },
        ],
      });
    }),
  });

  const register = defineCommand({
    name: "register-webhook",
    description: "Have the platform send its events to this app",
    options: {
      events: {
        type: "string",
        description: "Event types with commas between; all of them when empty",
        maxLength: 500,
        autocomplete: ({ value }) => suggestTypes(value),
      },
    },
    ...STAFF,
    cooldown: COOLDOWN,
    run: inOwnServers(async ({ options: { events: written } }) => {
      if (platform === null) return reply(NO_PLATFORM);
      if (secret === null) return reply(closed);
      const types = readEventTypes(written);
      if (!types.ok)
        return reply(markdown`There is no event ${code(types.unknown)}. There are ${PLATFORM_EVENTS.join(", ")}.`);
      const registering = { name: REGISTRATION_NAME, url: receiverUrl, events: types.events, secret };
      const answer = await platform.api.register(registering);
      if (!answer.ok) return reply(answer.message);
      const done = answer.value.created ? "Registered" : "Already registered, and brought up to date";
      return reply(markdown`${done}: ${types.events.join(", ")} go to ${code(receiverUrl)}.`);
    }),
  });

  const test = defineCommand({
    name: "test-webhook",
    description: "Have the platform send a test to this app",
    ...STAFF,
    cooldown: COOLDOWN,
    run: inOwnServers(async () => {
      const known = await registration();
      if (platform === null || typeof known === "string") return reply(String(known));
      const since = new Date();
      const answer = await platform.api.test(known.id);
      if (!answer.ok) return reply(answer.message);
      if (answer.value.success) return reply("The test arrived.");
      const here = (await lastReceived(options, since)) ?? "nothing came";
      return reply(`The test did not arrive. The platform says: ${sentence(answer.value.message)} Here: ${here}.`);
    }),
  });

  return [status, config, register, test];
}

const closed = "closed: XTSYSTEMS_WEBHOOK_SECRET is not set";

function embed(shown: MessageEmbed) {
  return reply({ embeds: [shown] });
}

function describe({ name, events, active }: PlatformWebhook): string {
  return `${name ?? "without a name"}, ${events.length} event types, ${active ? "active" : "switched off"}`;
}

/** The newest that came, and the newest that was refused; null where there is neither. */
async function lastReceived(options: WebhookCommandsOptions, since = new Date(0)): Promise<string | null> {
  const query = { tenantId: options.tenantId, sourceId: "xtsystems", limit: 1 };
  const [received] = (await options.sources().executions(query)).executions;
  const [refused] = (await options.sources().refusals(query)).refusals;
  const parts: string[] = [];
  if (received && new Date(received.receivedAt) >= since) {
    const why = received.errorMessage === null ? "" : ` (${received.errorMessage.replace(/\.$/, "")})`;
    parts.push(`${received.receivedAt}: ${received.status}${why}`);
  }
  if (refused && new Date(refused.refusedAt) >= since) parts.push(`refused ${refused.refusedAt}: ${refused.reason}`);
  return parts.length === 0 ? null : parts.join("; ");
}

async function lastDelivery(platform: WebhookCommandsOptions["platform"], { id }: PlatformWebhook): Promise<string> {
  const answer = await platform?.api.lastDelivery(id);
  if (!answer?.ok) return answer?.message ?? "–";
  if (answer.value === null) return "none yet";
  const { event_type: type, response_status: status, delivered_at: at, created_at: since } = answer.value;
  return at === null ? `${type} of ${since} has not arrived (${status || "no answer"})` : `${type} arrived ${at}`;
}

async function ownDeliveries({ health }: WebhookCommandsOptions): Promise<string> {
  const { status, queue } = await health();
  return queue === null ? `${status}; the queue can't be asked` : `${status}; ${queue.due} due, ${queue.held} held`;
}

function channelList(channels: WebhookCommandsOptions["channels"]): Markdown | string {
  const entries = Object.entries(channels).filter(([, ids]) => ids.length > 0);
  if (entries.length === 0) return "none: DISCORD_WEBHOOK_CHANNELS is empty";
  // The ids are digits: DISCORD_WEBHOOK_CHANNELS was checked at the start.
  const lines = entries.map(([type, ids]) => `\`${type}\`: ${ids.map((id) => `<#${id}>`).join(" ")}`);
  return { markdown: lines.join("\n") };
}

/** Completes the type behind the last comma, and keeps those before it. */
function suggestTypes(written: string) {
  const parts = written.split(",").map((part) => part.trim());
  const typed = parts.pop() ?? "";
  return PLATFORM_EVENTS.filter((type) => type.startsWith(typed) && !parts.includes(type))
    .map((type) => [...parts, type].join(", "))
    .filter((value) => value.length <= 100)
    .map((value) => ({ name: value, value }));
}
