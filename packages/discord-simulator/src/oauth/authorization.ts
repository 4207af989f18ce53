import { DiscordSimulatorError } from "../errors.js";
import type { Simulation } from "../simulation.js";
import { findGuild, findUser } from "../world/look-up.js";
import { guildPayload } from "../world/payloads.js";

/** A person's decision on an authorize address, and where their browser goes then. */
export interface Decision {
  readonly member: string;
  readonly allowed: boolean;
  /** Where the bot is to be installed, for the scope `bot`. */
  readonly guild?: string | undefined;
}

/** What an authorize address asks for. Throws `invalid_input` for what Discord shows as an error page. */
export function readAuthorizeQuery({ world }: Simulation, query: URLSearchParams) {
  const redirectUri = query.get("redirect_uri") ?? "";
  const problem = [
    query.get("client_id") === world.application.id ? null : "Unknown Application",
    world.application.redirectUris.includes(redirectUri) ? null : "Invalid OAuth2 redirect_uri",
    query.get("response_type") === "code" ? null : "Invalid OAuth2 response_type",
    query.get("scope") ? null : "Invalid OAuth2 scope",
    [null, "S256"].includes(query.get("code_challenge_method")) ? null : "Invalid code_challenge_method",
    isChallenge(query.get("code_challenge")) ? null : "Invalid code_challenge",
  ].find((found) => found !== null);
  if (problem) {
    throw new DiscordSimulatorError("invalid_input", problem);
  }
  return {
    redirectUri,
    scopes: (query.get("scope") ?? "").split(/[\s+]+/).filter(Boolean),
    state: query.get("state"),
    challenge: query.get("code_challenge"),
    guildId: query.get("guild_id"),
  };
}

/** Absent, or a SHA-256 in base64url. */
function isChallenge(challenge: string | null): boolean {
  return challenge === null || /^[\w-]{43}$/.test(challenge);
}

/** Where the browser goes after the decision: back to the application, with a code or with `access_denied`. */
export function decide(simulation: Simulation, query: URLSearchParams, decision: Decision): string {
  const { world, grants } = simulation;
  const asked = readAuthorizeQuery(simulation, query);
  const user = findUser(world, decision.member);
  const target = new URL(asked.redirectUri);
  if (decision.allowed) {
    const installs = asked.scopes.includes("bot");
    const guild = installs ? findGuild(world, decision.guild ?? asked.guildId ?? undefined) : null;
    const grant = { user, scopes: asked.scopes, guildId: guild?.id ?? null };
    target.searchParams.set("code", grants.createCode(grant, asked));
    simulation.authorizations.add(grant, guild && guildPayload(guild));
    if (guild) {
      target.searchParams.set("guild_id", guild.id);
      target.searchParams.set("permissions", query.get("permissions") ?? "0");
    }
  } else {
    target.searchParams.set("error", "access_denied");
    target.searchParams.set("error_description", "The resource owner or authorization server denied the request");
  }
  if (asked.state !== null) {
    target.searchParams.set("state", asked.state);
  }
  return target.href;
}
