import type { APIApplicationCommand } from "discord-api-types/v10";
import type { Context, Hono } from "hono";
import type { Simulation } from "../simulation.js";
import type { CommandState } from "../world/model.js";
import type { Body } from "./payload-check.js";
import { type FieldFault, REFUSALS, refuse, refuseFields } from "./refusal.js";
import { guildOf, readBody, readList } from "./rest-context.js";

const MAX_CHAT_INPUT = 100;
const MAX_CONTEXT_MENU = 15;

/** Commands of the application: global ones and those of a guild. */
export function commandRoutes(app: Hono, simulation: Simulation): void {
  const { world, check, snowflake } = simulation;

  function scopeOf(c: Context): string | null {
    if (c.req.param("application") !== world.application.id) {
      throw refuse(REFUSALS.unknownApplication);
    }
    const guildId = c.req.param("guild");
    return guildId === undefined ? null : guildOf(simulation, guildId).id;
  }

  const inScope = (guildId: string | null) => [...world.commands.values()].filter((state) => state.guildId === guildId);

  function found(c: Context): CommandState {
    const guildId = scopeOf(c);
    const state = world.commands.get(c.req.param("command") ?? "");
    if (!state || state.guildId !== guildId) {
      throw refuse(REFUSALS.unknownCommand);
    }
    return state;
  }

  function save(guildId: string | null, body: Body, existing?: APIApplicationCommand): APIApplicationCommand {
    const command = {
      dm_permission: true,
      nsfw: false,
      contexts: null,
      integration_types: [0],
      default_member_permissions: null,
      name_localizations: null,
      description_localizations: null,
      description: "",
      type: 1,
      ...existing,
      ...definitionOf(body),
      id: existing?.id ?? snowflake(),
      application_id: world.application.id,
      version: snowflake(),
      ...(guildId ? { guild_id: guildId } : {}),
    } as APIApplicationCommand;
    world.commands.set(command.id, { command, guildId });
    return command;
  }

  const named = (guildId: string | null, body: Body) =>
    inScope(guildId).find(({ command }) => command.name === body.name && command.type === (body.type ?? 1))?.command;

  const list = (c: Context) => c.json(inScope(scopeOf(c)).map(({ command }) => command));

  const create = async (c: Context) => {
    const guildId = scopeOf(c);
    const body = await readBody(c);
    check.command("ApplicationCommandCreateRequestSchema", body);
    const existing = named(guildId, body);
    if (!existing) {
      refuseTooMany([...inScope(guildId).map(({ command }) => command), body]);
    }
    return c.json(save(guildId, body, existing ? blank(existing) : undefined), existing ? 200 : 201);
  };

  const overwrite = async (c: Context) => {
    const guildId = scopeOf(c);
    const bodies = await readList(c);
    for (const body of bodies) {
      check.command("ApplicationCommandUpdateRequestSchema", body);
    }
    refuseTooMany(bodies);
    refuseDuplicates(bodies);
    const kept = bodies.map((body) => named(guildId, body));
    for (const { command } of inScope(guildId)) {
      world.commands.delete(command.id);
    }
    return c.json(
      bodies.map((body, index) => {
        const existing = kept[index];
        return save(guildId, body, existing ? blank(existing) : undefined);
      }),
    );
  };

  const update = async (c: Context) => {
    const state = found(c);
    const body = await readBody(c);
    check.check("ApplicationCommandPatchRequestPartialSchema", body);
    check.command("ApplicationCommandPatchRequestPartialSchema", { ...state.command, ...body } as Body);
    return c.json(save(state.guildId, body, state.command));
  };

  const remove = (c: Context) => {
    world.commands.delete(found(c).command.id);
    return c.body(null, 204);
  };

  for (const base of ["/applications/:application/commands", "/applications/:application/guilds/:guild/commands"]) {
    app.get(base, list);
    app.post(base, create);
    app.put(base, overwrite);
    app.get(`${base}/:command`, (c) => c.json(found(c).command));
    app.patch(`${base}/:command`, update);
    app.delete(`${base}/:command`, remove);
  }
}

const DEFINITION = [
  "name",
  "name_localizations",
  "description",
  "description_localizations",
  "options",
  "default_member_permissions",
  "dm_permission",
  "contexts",
  "integration_types",
  "type",
  "nsfw",
] as const;

function definitionOf(body: Body): Body {
  const entries = DEFINITION.flatMap((key) => (body[key] === undefined ? [] : [[key, body[key]] as const]));
  const definition: Body = Object.fromEntries(entries);
  const permissions = definition.default_member_permissions;
  return typeof permissions === "number"
    ? { ...definition, default_member_permissions: String(permissions) }
    : definition;
}

/** A new definition of a known command keeps its id and nothing else. */
function blank(command: APIApplicationCommand): APIApplicationCommand {
  return { id: command.id } as APIApplicationCommand;
}

function refuseTooMany(commands: readonly { readonly type?: unknown }[]): void {
  const ofType = (type: number) => commands.filter((command) => (command.type ?? 1) === type).length;
  if (ofType(1) > MAX_CHAT_INPUT || ofType(2) > MAX_CONTEXT_MENU || ofType(3) > MAX_CONTEXT_MENU) {
    throw refuse({ status: 400, code: 30032, message: "Maximum number of application commands reached" });
  }
}

function refuseDuplicates(bodies: readonly Body[]): void {
  const seen = new Set<string>();
  const faults: FieldFault[] = [];
  for (const [index, { name, type }] of bodies.entries()) {
    const key = `${String(type ?? 1)}:${String(name)}`;
    if (seen.has(key)) {
      faults.push({
        path: [index],
        code: "APPLICATION_COMMANDS_DUPLICATE_NAME",
        message: "Application command names must be unique",
      });
    }
    seen.add(key);
  }
  if (faults.length > 0) {
    throw refuseFields(faults);
  }
}
