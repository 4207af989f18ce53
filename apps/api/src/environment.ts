import { z } from "zod";
import { ApiStartError } from "./errors.js";

const secret = z.string().min(32, "must have at least 32 characters");
const encryptionKey = z
  .string()
  .refine(
    (value) => Buffer.from(value, "base64").length === 32,
    "must be 32 bytes in base64 (openssl rand -base64 32)",
  );

/** Values separated by commas. */
const list = z.string().transform((text) => text.split(",").map((part) => part.trim()));

/** A JSON text such as `{"ticket.created":["CHANNEL"],"default":["CHANNEL"]}`; `ticket_created` is read as well. */
const channelMap = z
  .string()
  .default("{}")
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue({ code: "custom", message: 'must be JSON such as {"default":["CHANNEL_ID"]}' });
      return z.NEVER;
    }
  })
  .pipe(z.record(z.string(), z.array(z.string().regex(/^\d{1,20}$/, "must be a channel id"))));

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
  CONNECTOR_INGRESS_SECRET: list.pipe(z.array(secret).min(1).max(2)),
  COMPONENT_SECRET: secret,
  DISCORD_APPLICATION_ID: z.string().regex(/^\d{1,20}$/),
  DISCORD_CLIENT_SECRET: z.string().min(1),
  DISCORD_PUBLIC_KEY: z.string().regex(/^[0-9a-f]{64}$/i, "must be 64 hex digits, from the application's General page"),
  DISCORD_BOT_TOKEN: z.string().min(1),
  DISCORD_GUILD_ID: z.string().regex(/^\d{1,20}$/),
  DISCORD_VERIFIED_ROLE_ID: z
    .string()
    .regex(/^\d{1,20}$/)
    .optional(),
  DISCORD_WEBHOOK_CHANNELS: channelMap,
  /** Where Discord's REST API is; the simulator's address in development. */
  DISCORD_API_BASE_URL: z.url().default("https://discord.com/api/v10"),
  /** Newest first, separated by commas: opens `POST /webhooks/xtsystems` to a platform that signs with one of them. */
  XTSYSTEMS_WEBHOOK_SECRET: webhookSecrets,
  /** Newest first, separated by commas: opens `POST /api/webhooks/receive` to those who sign with one of them. */
  SUPPORT_WEBHOOK_SECRET: webhookSecrets,
  /** Opens `POST /api/webhooks/receive` to everybody where there is no secret: for development. */
  SUPPORT_WEBHOOK_OPEN: z.stringbool().default(false),
  /** Of a Slack app with the scope `chat:write`, for endpoints of the destination `slack` that name a channel. */
  SLACK_BOT_TOKEN: z.string().startsWith("xoxb-").optional(),
  /** When each attempt of a webhook starts, in seconds after the one before, separated by commas. */
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
  /** Lets anybody read /metrics, such as a scraper in a closed network; otherwise an API key with the scope admin. */
  METRICS_OPEN: z.stringbool().default(false),
});

const schema = variables.refine((values) => (values.SMTP_URL === undefined) === (values.MAIL_FROM === undefined), {
  path: ["MAIL_FROM"],
  message: "goes together with SMTP_URL",
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
  const problems = result.error.issues.map(({ path, message }) => `  ${path[0]?.toString()}: ${message}`);
  throw new ApiStartError(
    "invalid_environment",
    `The environment is not complete (.env.example explains each variable):\n${problems.join("\n")}`,
  );
}
