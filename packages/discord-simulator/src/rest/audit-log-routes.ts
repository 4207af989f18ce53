import { PermissionFlagsBits as P } from "discord-api-types/v10";
import type { Context, Hono } from "hono";
import type { Simulation } from "../simulation.js";
import { compareSnowflakes } from "../snowflake.js";
import { refuseFields } from "./refusal.js";
import { demandInGuild, guildOf } from "./rest-context.js";

/** What was done in a guild, newest first, or oldest first behind `after`. */
export function auditLogRoutes(app: Hono, simulation: Simulation): void {
  const { world } = simulation;

  app.get("/guilds/:guild/audit-logs", (c) => {
    const guild = guildOf(simulation, c.req.param("guild"));
    demandInGuild(simulation, guild, P.ViewAuditLog);
    const { user_id: userId, action_type: action, before, after, limit = "50" } = c.req.query();
    if (!/^\d+$/.test(limit) || Number(limit) < 1 || Number(limit) > 100) {
      throw refuseFields([
        { path: ["limit"], code: "NUMBER_TYPE_MAX", message: "int value should be between 1 and 100." },
      ]);
    }
    const fitting = guild.auditLog.filter(
      (entry) =>
        (userId === undefined || entry.user_id === userId) &&
        (action === undefined || String(entry.action_type) === action) &&
        (before === undefined || compareSnowflakes(entry.id, before) < 0) &&
        (after === undefined || compareSnowflakes(entry.id, after) > 0),
    );
    const entries = (after === undefined ? fitting.toReversed() : fitting).slice(0, Number(limit));
    const people = new Set(entries.flatMap(({ user_id, target_id }) => [user_id, target_id]));
    return c.json({
      audit_log_entries: entries,
      users: [...people].flatMap((id) => world.users.get(id)?.user ?? []),
      application_commands: [],
      auto_moderation_rules: [],
      guild_scheduled_events: [],
      integrations: [],
      threads: [],
      webhooks: [],
    });
  });
}

/** Why the application does it, as it says so itself. */
export function reasonOf(c: Context): string | undefined {
  const header = c.req.header("x-audit-log-reason");
  return header === undefined ? undefined : decodeURIComponent(header);
}
