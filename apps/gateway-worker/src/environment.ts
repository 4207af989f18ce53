import { z } from "zod";

const schema = z.object({
  DISCORD_BOT_TOKEN: z.string(),
  API_PUBLIC_URL: z.url({ protocol: /^https?$/, error: "must be the API's http or https address" }),
  /** As the API has it, where two stand side by side while one is replaced: both sign. */
  CONNECTOR_INGRESS_SECRET: z
    .string()
    .transform((text) => text.split(",").map((secret) => secret.trim()))
    .pipe(
      z
        .array(z.string().min(32, "must have at least 32 characters"))
        .min(1)
        .max(2, "must be one secret, or two separated by a comma"),
    ),
  DISCORD_API_BASE_URL: z.url().optional(),
  DISCORD_INTENTS: z.coerce.number().int().min(1).optional(),
  DISCORD_SHARD_COUNT: z.coerce.number().int().min(1).optional(),
  /** Lets several workers run at once, each with a spool of its own. Needs DISCORD_SHARD_COUNT. */
  SHARD_LEASES: z.stringbool().default(false),
  SHARD_LEASE_TTL_MS: z.coerce.number().int().min(1_000).max(120_000).optional(),
  /** How many shards this worker takes at most; all when absent. */
  MAX_SHARDS: z.coerce.number().int().min(1).optional(),
  /** After a gap, reads the messages of that time from Discord's REST API. */
  BACKFILL: z.stringbool().default(false),
  SPOOL_DIRECTORY: z.string().default("./.hookline/spool"),
  SPOOL_MAX_BYTES: z.coerce.number().int().min(1).optional(),
  HEALTH_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  HEALTH_HOST: z.string().default("127.0.0.1"),
  DRAIN_TIMEOUT_MS: z.coerce.number().int().min(0).optional(),
  LOG_LEVEL: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
});

export type Environment = z.infer<typeof schema>;

/** The environment as the worker needs it, or what is wrong with it: each variable by name, never a value. */
export function readEnvironment(
  variables: NodeJS.ProcessEnv,
): { readonly ok: true; readonly environment: Environment } | { readonly ok: false; readonly problem: string } {
  const present = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ""));
  const result = schema.safeParse(present);
  if (result.success) {
    return { ok: true, environment: result.data };
  }
  const lines = result.error.issues.map((issue) => {
    const name = String(issue.path[0]);
    return `  ${name}: ${name in present ? issue.message : "is missing"}`;
  });
  return { ok: false, problem: `The environment is not complete (see .env.example):\n${lines.join("\n")}` };
}
