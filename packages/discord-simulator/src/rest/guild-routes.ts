import { AuditLogEvent, PermissionFlagsBits as P } from "discord-api-types/v10";
import type { Context, Hono } from "hono";
import type { Simulation } from "../simulation.js";
import { compareSnowflakes } from "../snowflake.js";
import type { NewAuditLogEntry } from "../world/audit-log.js";
import type { MemberState } from "../world/model.js";
import { channelPayload, guildPayload, memberPayload } from "../world/payloads.js";
import { highestRolePosition } from "../world/permissions.js";
import { reasonOf } from "./audit-log-routes.js";
import { REFUSALS, refuse, refuseFields } from "./refusal.js";
import { demandInGuild, guildOf, memberOf, readBody } from "./rest-context.js";

/** Guilds, members and roles. */
export function guildRoutes(app: Hono, simulation: Simulation): void {
  const { world, membership, auditLog } = simulation;

  app.get("/guilds/:guild", (c) => {
    const guild = guildOf(simulation, c.req.param("guild"));
    const counts =
      c.req.query("with_counts") === "true"
        ? { approximate_member_count: guild.members.size, approximate_presence_count: guild.members.size }
        : {};
    return c.json({ ...guildPayload(guild), ...counts });
  });

  app.get("/guilds/:guild/channels", (c) =>
    c.json(
      [...guildOf(simulation, c.req.param("guild")).channels.values()]
        .filter(({ type }) => type !== 11)
        .map(channelPayload),
    ),
  );

  app.get("/guilds/:guild/roles", (c) => c.json([...guildOf(simulation, c.req.param("guild")).roles.values()]));

  app.get("/guilds/:guild/roles/:role", (c) => {
    const role = guildOf(simulation, c.req.param("guild")).roles.get(c.req.param("role"));
    if (!role) {
      throw refuse(REFUSALS.unknownRole);
    }
    return c.json(role);
  });

  app.get("/guilds/:guild/members", (c) => {
    const guild = guildOf(simulation, c.req.param("guild"));
    const limit = Number(c.req.query("limit") ?? 1);
    if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
      throw refuseFields([
        { path: ["limit"], code: "NUMBER_TYPE_MAX", message: "int value should be between 1 and 1000." },
      ]);
    }
    const after = c.req.query("after") ?? "0";
    const sorted = [...guild.members.values()].sort((a, b) => compareSnowflakes(a.user.id, b.user.id));
    return c.json(
      sorted
        .filter(({ user }) => compareSnowflakes(user.id, after) > 0)
        .slice(0, limit)
        .map(memberPayload),
    );
  });

  app.get("/guilds/:guild/members/search", (c) => {
    const guild = guildOf(simulation, c.req.param("guild"));
    const query = (c.req.query("query") ?? "").toLowerCase();
    const found = [...guild.members.values()].filter(({ user, nick }) =>
      [user.username, nick ?? ""].some((name) => name.toLowerCase().startsWith(query)),
    );
    return c.json(found.slice(0, Number(c.req.query("limit") ?? 1)).map(memberPayload));
  });

  app.get("/guilds/:guild/members/:user", (c) => {
    const guild = guildOf(simulation, c.req.param("guild"));
    return c.json(memberPayload(memberOf(guild, userIdOf(c))));
  });

  app.patch("/guilds/:guild/members/:user", async (c) => {
    const guild = guildOf(simulation, c.req.param("guild"));
    const member = memberOf(guild, userIdOf(c));
    const { nick, roles } = await readBody(c);
    if (nick !== undefined) {
      demandInGuild(simulation, guild, member.user.id === world.application.bot.id ? 0n : P.ManageNicknames);
      const before = member.nick;
      membership.setNick(guild, member, nick ? String(nick) : null);
      record(c, member, {
        action: AuditLogEvent.MemberUpdate,
        changes: [{ key: "nick", ...named("old_value", before), ...named("new_value", member.nick) }],
      });
    }
    if (Array.isArray(roles)) {
      for (const roleId of [...member.roles, ...roles.map(String)]) {
        if (member.roles.includes(roleId) !== roles.includes(roleId)) {
          demandRole(c, roleId);
        }
      }
      changeRoles(c, member, roles.map(String));
    }
    return c.json(memberPayload(member));
  });

  const memberRole = "/guilds/:guild/members/:user/roles/:role";

  app.put(memberRole, (c) => {
    const guild = guildOf(simulation, c.req.param("guild"));
    const member = memberOf(guild, userIdOf(c));
    const roleId = demandRole(c, c.req.param("role"));
    if (!member.roles.includes(roleId)) {
      changeRoles(c, member, [...member.roles, roleId]);
    }
    return c.body(null, 204);
  });

  app.delete(memberRole, (c) => {
    const guild = guildOf(simulation, c.req.param("guild"));
    const member = memberOf(guild, userIdOf(c));
    const roleId = demandRole(c, c.req.param("role"));
    if (member.roles.includes(roleId)) {
      changeRoles(
        c,
        member,
        member.roles.filter((held) => held !== roleId),
      );
    }
    return c.body(null, 204);
  });

  function changeRoles(c: Context, member: MemberState, roles: readonly string[]): void {
    const guild = guildOf(simulation, c.req.param("guild") ?? "");
    const before = member.roles;
    membership.setRoles(guild, member, roles);
    const without = (some: readonly string[], others: readonly string[]) =>
      some.filter((id) => !others.includes(id)).map((id) => ({ id, name: guild.roles.get(id)?.name ?? id }));
    const added = without(member.roles, before);
    const removed = without(before, member.roles);
    record(c, member, {
      action: AuditLogEvent.MemberRoleUpdate,
      changes: [
        ...(added.length > 0 ? [{ key: "$add", new_value: added }] : []),
        ...(removed.length > 0 ? [{ key: "$remove", new_value: removed }] : []),
      ],
    });
  }

  /** What the bot did to a member, where it changed anything. */
  function record(c: Context, member: MemberState, entry: Pick<NewAuditLogEntry, "action" | "changes">): void {
    if (entry.changes?.length === 0) {
      return;
    }
    auditLog.record(guildOf(simulation, c.req.param("guild") ?? ""), {
      ...entry,
      userId: world.application.bot.id,
      targetId: member.user.id,
      reason: reasonOf(c),
    });
  }

  function userIdOf(c: Context): string {
    const user = c.req.param("user") ?? "";
    return user === "@me" ? world.application.bot.id : user;
  }

  /** The bot needs MANAGE_ROLES, and its highest role has to stand above the one that it gives or takes. */
  function demandRole(c: Context, roleId: string): string {
    const guild = guildOf(simulation, c.req.param("guild") ?? "");
    const role = guild.roles.get(roleId);
    if (!role || role.id === guild.id) {
      throw refuse(REFUSALS.unknownRole);
    }
    demandInGuild(simulation, guild, P.ManageRoles);
    const bot = memberOf(guild, world.application.bot.id);
    if (role.managed || highestRolePosition(guild, bot) <= role.position) {
      throw refuse(REFUSALS.missingPermissions);
    }
    return role.id;
  }
}

/** A value that Discord leaves out where there is none. */
function named(key: "old_value" | "new_value", value: string | null) {
  return value === null ? {} : { [key]: value };
}
