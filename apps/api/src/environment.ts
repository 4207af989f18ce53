import { z } from "zod";
import { ApiStartError } from "./errors.js";
import { isOwnPlatform } from "./platform/receiver.js";

const secret = z.string().min(32, "must have at least 32 characters");
const encryptionKey = z
  .string()
  .refine(
    (value) => Buffer.from(value, "base64").length === 32,
    "must be 32 bytes in base64 (openssl rand -base64 32)",
  );

/** Values separated by commas. */
const list = z.string().transform((text) => text.split(",").map((part) => part.trim()));

/** JSON text that has to be of the schema's form. */
const json = <Schema extends z.ZodType>(example: string, fallback: string, shape: Schema) =>
  z
    .string()
    .default(fallback)
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: "custom", message: `must be JSON such as ${example}` });
        return z.NEVER;
      }
    })
    .pipe(shape);

/** Channel ids by event type; `ticket_created` is read as `ticket.created`. */
const channelMap = json(
  '{"ticket.created":["CHANNEL_ID"],"default":["CHANNEL_ID"]}',
  "{}",
  z.record(z.string(), z.array(z.string().regex(/^\d{1,20}$/, "must be a channel id"))),
);

/** Labels with the number that each stands for. */
const priorities = json(
  '{"Low":0,"High":2}',
  '{"Low":0,"Normal":1,"High":2,"Urgent":3}',
  z
    .record(z.string().min(1).max(100), z.number().int().min(0).max(100))
    .transform((levels) => Object.entries(levels).map(([label, level]) => ({ label, level })))
    .refine((list) => list.length >= 1 && list.length <= 25, "must have 1 to 25 priorities")
    .refine(
      (list) => new Set(list.map(({ label }) => label.toLowerCase())).size === list.length,
      "must not tell two priorities apart by upper and lower case alone",
    ),
);

/** A modal has five fields, three of which are taken. */
const furtherFields = json(
  '[{"name":"category","label":"Category","required":false}]',
  "[]",
  z
    .array(
      z.object({
        name: z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,31}$/, "must be letters, digits and _"),
        label: z.string().min(1).max(45),
        placeholder: z.string().max(100).optional(),
        required: z.boolean().default(false),
      }),
    )
    .max(2, "a modal has room for two further fields"),
);

const webhookSecrets = list.pipe(z.array(z.string().min(16, "must have at least 16 characters")).min(1)).optional();

const variables = z.object({
  HOST: z.string().default("127.0.0.1"),
  PORT: z.coerce.number().int().min(0).max(65_535).default(4000),
  API_PUBLIC_URL: z.url(),
  /** How many proxies of ours stand in front and append to X-Forwarded-For. */
  TRUST_PROXY: z.coerce.number().int().min(0).max(10).default(0),
  DATABASE_URL: z.string().default("pglite://./.hookline/data"),
  LOG_LEVEL: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
  TENANT_ID: z.string().min(1).default("default"),
  /** Newest first, separated by commas; a value encrypted with an older one stays readable. */
  ENCRYPTION_KEY: list.pipe(z.array(encryptionKey).min(1)),
  API_KEY: secret,
  /** Newest first, separated by commas, so that the worker's secret can change without an interruption. */
  CONNECTOR_INGRESS_SECRET: list.pipe(z.array(secret).min(1).max(2, "must be one secret, or two separated by a comma")),
  /** Also takes packets as gateway workers of `@hogsend/plugin-discord` send them, with this secret in a header. */
  PLAIN_INGRESS_SECRET: secret.optional(),
  COMPONENT_SECRET: secret,
  DISCORD_APPLICATION_ID: z.string().regex(/^\d{1,20}$/),
  DISCORD_CLIENT_SECRET: z.string().min(1),
  DISCORD_PUBLIC_KEY: z.string().regex(/^[0-9a-f]{64}$/i, "must be 64 hex digits, from the application's General page"),
  DISCORD_BOT_TOKEN: z.string().min(1),
  /** What is noise otherwise and becomes events too: `bots`, `webhooks`, `system`, separated by commas. */
  DISCORD_KEEP: list.pipe(z.array(z.enum(["bots", "webhooks", "system"]))).optional(),
  /** Makes events of direct messages to the bot too; the worker's DISCORD_INTENTS have to ask for them. */
  DISCORD_DIRECT_MESSAGES: z.stringbool().default(false),
  DISCORD_GUILD_ID: z.string().regex(/^\d{1,20}$/),
  DISCORD_VERIFIED_ROLE_ID: z
    .string()
    .regex(/^\d{1,20}$/)
    .optional(),
  DISCORD_WEBHOOK_CHANNELS: channelMap,
  /** What members choose from at `/ticket`, with the number that each stands for. */
  TICKET_PRIORITIES: priorities,
  /** Up to two further fields of `/ticket`. */
  TICKET_FIELDS: furtherFields,
  /** With the two below: `/ticket` goes to this erxes automation instead of the own desk. */
  ERXES_WEBHOOK_URL: z.url({ protocol: /^https?$/ }).optional(),
  ERXES_BEARER_TOKEN: z.string().min(16, "must have at least 16 characters").optional(),
  ERXES_HMAC_SECRET: z.string().min(16, "must have at least 16 characters").optional(),
  /** Where Discord's REST API is; the simulator's address in development. */
  DISCORD_API_BASE_URL: z.url().default("https://discord.com/api/v10"),
  /** Newest first, separated by commas: opens `POST /webhooks/xtsystems` to a platform that signs with one of them. */
  XTSYSTEMS_WEBHOOK_SECRET: webhookSecrets,
  /** The platform whose webhooks those are: `/webhook-status` and the other commands ask it. */
  XTSYSTEMS_API_URL: z.url({ protocol: /^https?$/ }).optional(),
  XTSYSTEMS_API_KEY: z.string().min(1).optional(),
  /** Newest first, separated by commas: opens `POST /api/webhooks/receive` to those who sign with one of them. */
  SUPPORT_WEBHOOK_SECRET: webhookSecrets,
  /** Opens `POST /api/webhooks/receive` to everybody where there is no secret: for development. */
  SUPPORT_WEBHOOK_OPEN: z.stringbool().default(false),
  /** Newest first, separated by commas: opens `POST /webhooks/github` to GitHub webhooks with one of these secrets. */
  GITHUB_WEBHOOK_SECRET: webhookSecrets,
  /** Newest first, separated by commas: opens `POST /webhooks/stripe` to Stripe endpoints with one of these secrets. */
  STRIPE_WEBHOOK_SECRET: webhookSecrets,
  /** Newest first, separated by commas: opens `POST /webhooks/standard` to a sender that keeps to Standard Webhooks. */
  STANDARD_WEBHOOK_SECRET: webhookSecrets,
  /** Of a Slack app with the scope `chat:write`, for endpoints of the destination `slack` that name a channel. */
  SLACK_BOT_TOKEN: z.string().startsWith("xoxb-").optional(),
  /** After the first failed attempt of a delivery, after the second …: seconds until the next, separated by commas. */
  RETRY_SCHEDULE_SECONDS: list
    .transform((parts) => parts.map(Number))
    .pipe(z.array(z.number().min(0)).min(1))
    .optional(),
  /** Networks that webhooks may go to although they are not public, such as `127.0.0.0/8`: for development. */
  ADDRESS_GUARD_ALLOW: list.pipe(z.array(z.union([z.cidrv4(), z.cidrv6()]))).optional(),
  /** Lets webhooks go out by plain HTTP: for development. */
  ADDRESS_GUARD_ALLOW_HTTP: z.stringbool().default(false),
  /** Keeps mails, with the links in them, in a table that the API shows, instead of refusing to send: for development. */
  LOCAL_MAIL_OUTBOX: z.stringbool().default(false),
  /** Where mails are handed over: `smtp://user:password@host:587` or `smtps://…:465`. Comes before the local outbox. */
  SMTP_URL: z.url({ protocol: /^smtps?$/, error: "must be smtp://… or smtps://…" }).optional(),
  /** The sender of mails, such as `Acme <hooks@example.com>`. */
  MAIL_FROM: z.string().min(3).optional(),
  /** `optional` also hands mails and the password to a server that can't encrypt: for one on this machine. */
  SMTP_TLS: z.enum(["required", "optional"]).default("required"),
  /** Counts rate limits and remembers replays for several processes of the API: `redis://` or `rediss://`. */
  REDIS_URL: z.url({ protocol: /^rediss?$/, error: "must be redis://… or rediss://…" }).optional(),
  /** The public key of a PostHog project: the page that says "You are connected" then tells it who that was. */
  POSTHOG_PROJECT_KEY: z
    .string()
    .regex(/^phc_[A-Za-z0-9]{1,100}$/, "must be a project's public key, phc_…")
    .optional(),
  /** Where PostHog is. */
  POSTHOG_HOST: z
    .url({ protocol: /^https?$/ })
    .transform((text) => new URL(text).origin)
    .default("https://us.i.posthog.com"),
  /** Where `combined.log` and `error.log` are written beside what goes to the console. */
  LOG_DIRECTORY: z.string().min(1).optional(),
  /** Lets anybody read /metrics, such as a scraper in a closed network; otherwise an API key with the scope admin. */
  METRICS_OPEN: z.stringbool().default(false),
});

/** Settings of another system that only work together: half of them must not quietly mean none. */
const TOGETHER = [
  ["SMTP_URL", "MAIL_FROM"],
  ["XTSYSTEMS_API_URL", "XTSYSTEMS_API_KEY"],
  ["ERXES_WEBHOOK_URL", "ERXES_BEARER_TOKEN", "ERXES_HMAC_SECRET"],
] as const;

const schema = variables.superRefine((environment, context) => {
  const { XTSYSTEMS_API_URL: platformUrl, API_PUBLIC_URL: publicUrl } = environment;
  if (platformUrl !== undefined && isOwnPlatform(platformUrl, publicUrl)) {
    const message = "must not be this app itself, which would be told of its own events without end";
    context.addIssue({ code: "custom", path: ["XTSYSTEMS_API_URL"], message });
  }
  for (const names of TOGETHER) {
    const missing = names.filter((name) => environment[name] === undefined);
    if (missing.length === names.length) continue;
    const others = (name: string) => names.filter((other) => other !== name).join(", ");
    for (const name of missing) {
      context.addIssue({ code: "custom", path: [name], message: `goes together with ${others(name)}` });
    }
  }
});

export type Environment = z.infer<typeof schema>;

/**
 * Reads what the API is configured with.
 *
 * @throws ApiStartError `invalid_environment`, naming each variable that is missing or wrong, never its value
 */
export function readEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const present = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ""));
  const result = schema.safeParse(present);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path: [name, ...within], message }) => {
    // A number alone is a place in a list with commas, as nobody wrote it.
    const where = within.some((part) => typeof part === "string") ? `${within.join(".")} ` : "";
    return `  ${name?.toString()}: ${where}${message}`;
  });
  throw new ApiStartError(
    "invalid_environment",
    `The environment is not complete (.env.example explains each variable):\n${problems.join("\n")}`,
  );
}
