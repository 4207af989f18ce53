import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { DiscordConnector } from "@hookline/connector-discord";
import {
  type ApiKeyEnv,
  createRouter,
  type Engine,
  jsonBody,
  normaliseEmail,
  problem,
  problemResponses,
  requireApiKey,
} from "@hookline/engine";
import type { Context } from "hono";
import type { DiscordGuilds } from "../discord-guilds.js";
import { jsonAnswer, REFUSALS } from "./desk-route.js";

const SECURED = { security: [{ apiKey: [] }], tags: ["Discord"] };

const linkSchema = z
  .object({
    url: z
      .url()
      .openapi({ description: "Carries a secret: give it to the person that it is for, and to nobody else." }),
    expiresAt: z.iso.datetime(),
  })
  .openapi("DiscordLink");

const guildSchema = z
  .object({
    id: z.string(),
    name: z.string().nullable(),
    installedAt: z.iso.datetime(),
    verifiedRoleId: z.string().nullable().openapi({ description: "The role that linked members get there." }),
  })
  .openapi("DiscordGuild");

const createInstallation = createRoute({
  method: "post",
  path: "/v1/discord/installations",
  summary: "Make an address that adds the bot to a Discord server, which then belongs to your tenant",
  ...SECURED,
  responses: { 201: jsonAnswer("To be opened in the operator's browser.", linkSchema), ...REFUSALS },
});

const createMemberLink = createRoute({
  method: "post",
  path: "/v1/discord/member-links",
  summary: "Make an address that connects the Discord account of whoever opens it to an email address",
  ...SECURED,
  request: { body: jsonBody(z.object({ email: z.email().max(254) })) },
  responses: {
    201: jsonAnswer("To be opened in the member's browser; connects one account.", linkSchema),
    ...REFUSALS,
  },
});

const listGuilds = createRoute({
  method: "get",
  path: "/v1/discord/guilds",
  summary: "List your tenant's Discord servers",
  ...SECURED,
  responses: { 200: jsonAnswer("The servers.", z.object({ guilds: z.array(guildSchema) })), ...REFUSALS },
});

const snowflake = z.string().regex(/^\d{1,20}$/);
const guildParam = z.object({ guildId: snowflake });

const changeGuild = createRoute({
  method: "patch",
  path: "/v1/discord/guilds/{guildId}",
  summary: "Say which role linked members get in one of your tenant's Discord servers, from now on; null for none",
  ...SECURED,
  request: { params: guildParam, body: jsonBody(z.object({ verifiedRoleId: snowflake.nullable() })) },
  responses: {
    200: jsonAnswer("The server.", guildSchema),
    ...REFUSALS,
    ...problemResponses({ 404: "It is not one of your servers." }),
  },
});

const removeGuild = createRoute({
  method: "delete",
  path: "/v1/discord/guilds/{guildId}",
  summary: "Disconnect a Discord server from your tenant; the bot stays in it, and is answered nothing from there",
  ...SECURED,
  request: { params: guildParam },
  responses: {
    204: { description: "It is nobody's now." },
    ...REFUSALS,
    ...problemResponses({ 404: "It is not one of your servers." }),
  },
});

export interface DiscordRoutesOptions {
  readonly engine: Engine;
  readonly connector: Pick<DiscordConnector, "oauthLink">;
  readonly guilds: DiscordGuilds;
}

/** Installing the bot and connecting members, behind API keys: `admin` for servers, `write` for members. */
export function createDiscordRoutes({ engine, connector, guilds }: DiscordRoutesOptions): OpenAPIHono<ApiKeyEnv> {
  const router = createRouter<ApiKeyEnv>();
  router.on("POST", "/v1/discord/installations", requireApiKey(engine, "admin"));
  router.on("POST", "/v1/discord/member-links", requireApiKey(engine, "write"));
  router.on("GET", "/v1/discord/guilds", requireApiKey(engine, "read"));
  router.on(["PATCH", "DELETE"], "/v1/discord/guilds/:guildId", requireApiKey(engine, "admin"));

  router.openapi(createInstallation, (c) => {
    c.header("cache-control", "no-store");
    return c.json(connector.oauthLink({ purpose: "install", tenantId: c.var.principal.tenantId }), 201);
  });

  router.openapi(createMemberLink, (c) => {
    const { tenantId } = c.var.principal;
    const email = normaliseEmail(c.req.valid("json").email);
    c.header("cache-control", "no-store");
    return c.json(connector.oauthLink({ purpose: "member_link", tenantId, email }), 201);
  });

  router.openapi(listGuilds, async (c) => {
    return c.json({ guilds: [...(await guilds.list(c.var.principal.tenantId))] }, 200);
  });

  router.openapi(changeGuild, async (c) => {
    const { tenantId, apiKeyId } = c.var.principal;
    const { guildId } = c.req.valid("param");
    const { verifiedRoleId: roleId } = c.req.valid("json");
    const changed = await guilds.setVerifiedRole({ tenantId, guildId, roleId, actor: `api_key:${apiKeyId}` });
    return changed ? c.json(changed, 200) : unknownGuild(c);
  });

  router.openapi(removeGuild, async (c) => {
    const { tenantId, apiKeyId } = c.var.principal;
    const { guildId } = c.req.valid("param");
    if (await guilds.remove({ tenantId, guildId, actor: `api_key:${apiKeyId}` })) return c.body(null, 204);
    return unknownGuild(c);
  });

  return router;
}

function unknownGuild(c: Context) {
  return problem(c, { status: 404, code: "guild_not_found", detail: "This is not one of your Discord servers." });
}
