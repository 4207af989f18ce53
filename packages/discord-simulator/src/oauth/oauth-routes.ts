import type { Context, Hono } from "hono";
import { REFUSALS, refuse, refuseWith } from "../rest/refusal.js";
import type { Simulation } from "../simulation.js";
import { findGuild } from "../world/look-up.js";
import { guildPayload } from "../world/payloads.js";
import { type AccessToken, TOKEN_SECONDS } from "./grants.js";

/** `oauth2/token`, `oauth2/token/revoke`, and what a bearer token may read. */
export function oauthRoutes(app: Hono, simulation: Simulation): void {
  const { world, grants, authorizations } = simulation;

  /** The form, once the client has proved who it is by HTTP Basic or in the form. */
  async function clientForm(c: Context): Promise<Record<string, string>> {
    const form = Object.fromEntries(new URLSearchParams(await c.req.text()));
    const basic = /^Basic (.+)$/.exec(c.req.header("authorization") ?? "")?.[1];
    const [id, secret] = basic
      ? Buffer.from(basic, "base64").toString().split(":")
      : [form.client_id, form.client_secret];
    if (id !== world.application.id || secret !== world.application.clientSecret) {
      throw refuseOauth(401, "invalid_client");
    }
    return form;
  }

  app.post("/oauth2/token", async (c) => {
    const form = await clientForm(c);
    const token = tokenFor(form);
    if (!token) {
      const field = form.grant_type === "refresh_token" ? "refresh_token" : "code";
      throw refuseOauth(400, "invalid_grant", `Invalid "${field}" in request.`);
    }
    const guild = token.guildId ? guildPayload(findGuild(world, token.guildId)) : undefined;
    return c.json({
      token_type: "Bearer",
      access_token: token.accessToken,
      expires_in: TOKEN_SECONDS,
      scope: token.scopes.join(" "),
      ...(form.grant_type === "client_credentials" ? {} : { refresh_token: token.refreshToken }),
      ...(guild ? { guild } : {}),
    });
  });

  function tokenFor(form: Record<string, string>): AccessToken | undefined {
    switch (form.grant_type) {
      case "authorization_code":
        return grants.redeemCode(form.code ?? "", {
          redirectUri: form.redirect_uri ?? "",
          verifier: form.code_verifier,
        });
      case "refresh_token":
        return grants.refresh(form.refresh_token ?? "");
      case "client_credentials": {
        const owner = world.users.get(findGuild(world).ownerId);
        return owner && grants.issue({ user: owner, scopes: (form.scope ?? "").split(" "), guildId: null });
      }
      default:
        throw refuseOauth(400, "unsupported_grant_type");
    }
  }

  app.post("/oauth2/token/revoke", async (c) => {
    const { token = "" } = await clientForm(c);
    const revoked = grants.find(token);
    if (revoked) {
      // Every token of the authorization goes with it, and Discord tells of that as if the person had removed it.
      grants.forget(revoked.user.user.id);
      if (authorizations.list().some(({ userId }) => userId === revoked.user.user.id)) {
        authorizations.remove(revoked.user);
      }
    }
    return c.json({});
  });

  app.get("/oauth2/@me", (c) => {
    const token = bearer(c);
    return c.json({
      application: {
        id: world.application.id,
        name: world.application.name,
        verify_key: world.application.publicKeyHex,
      },
      scopes: token.scopes,
      expires: new Date(token.expiresAtMs).toISOString(),
      ...(token.scopes.includes("identify") ? { user: token.user.user } : {}),
    });
  });

  app.get("/users/@me", (c, next) => {
    if (!isBearer(c)) {
      return next();
    }
    const { user, scopes } = bearer(c, "identify");
    const email = scopes.includes("email") ? { email: user.email, verified: user.email !== null } : {};
    return Promise.resolve(c.json({ ...user.user, flags: 0, mfa_enabled: false, locale: "en-US", ...email }));
  });

  app.get("/users/@me/guilds", (c, next) => {
    if (!isBearer(c)) {
      return next();
    }
    const { user } = bearer(c, "guilds");
    const own = [...world.guilds.values()].filter((guild) => guild.members.has(user.user.id));
    return Promise.resolve(
      c.json(
        own.map(({ id, name, ownerId }) => ({ id, name, icon: null, owner: ownerId === user.user.id, features: [] })),
      ),
    );
  });

  const bearer = (c: Context, scope?: string) => readBearer(simulation, c, scope);
}

/** The person's token of a request; refuses unknown ones, and ones without the scope. */
export function readBearer({ grants }: Simulation, c: Context, scope?: string): AccessToken {
  const token = grants.byAccessToken((c.req.header("authorization") ?? "").replace(/^Bearer /, ""));
  if (!token) {
    throw refuse(REFUSALS.unauthorized);
  }
  if (scope !== undefined && !token.scopes.includes(scope)) {
    throw refuse(REFUSALS.missingScope);
  }
  return token;
}

/** Requests of a person's token, not of the bot. */
export function isBearer(c: Context): boolean {
  return c.req.header("authorization")?.startsWith("Bearer ") ?? false;
}

function refuseOauth(status: 400 | 401, error: string, description?: string) {
  return refuseWith(status, { error, ...(description ? { error_description: description } : {}) });
}
