import {
  type Clock,
  type Destination,
  type DirectSend,
  defineDestination,
  type Interpretation,
  identitySubject,
} from "@hookline/core";
import { z } from "zod";
import { isDiscordConnectorError } from "../errors.js";
import type { TokenExchange } from "../oauth/token-exchange.js";
import { DISCORD_PROVIDER_ID } from "../provider.js";
import type { DiscordRest } from "../rest/discord-rest.js";
import type { DiscordAccount, LinkedRolesOptions, LinkedRoleTokens, LinkedRoleValues } from "./options.js";

export interface LinkedRoleDestinationOptions {
  readonly applicationId: string;
  readonly linkedRoles: LinkedRolesOptions;
  readonly exchange: TokenExchange;
  readonly rest: DiscordRest;
  readonly clock: Clock;
}

const SYNC_ID = "discord-linked-role";
const RELEASE_ID = "discord-linked-role-release";
/** Longer than all calls of one attempt together. */
const CLAIM_MS = 60_000;
const BUSY_RETRY_MS = 2_000;
/** A token that ends within it is refreshed before its use. */
const EXPIRY_MARGIN_MS = 60_000;

const targetSchema = z.object({ discordId: z.string() });
const releaseSchema = z.object({ notBefore: z.iso.datetime().optional() });
const tokensSchema = z.object({ accessToken: z.string(), refreshToken: z.string(), expiresAtMs: z.number() });

/** Makes Discord say of a member what is true of them when it runs. */
export function toLinkedRoleSync({ tenantId, discordId }: DiscordAccount): DirectSend {
  const subjectIds = [identitySubject({ kind: DISCORD_PROVIDER_ID, value: discordId })];
  return { tenantId, destination: SYNC_ID, target: { discordId }, data: {}, subjectIds };
}

/** The same for everybody in a tenant whose tokens are to be given back. It names nobody. */
export function toLinkedRoleRelease(tenantId: string, options: { readonly notBefore?: Date } = {}): DirectSend {
  const target = options.notBefore ? { notBefore: options.notBefore.toISOString() } : {};
  return { tenantId, destination: RELEASE_ID, target, data: {} };
}

/**
 * Writes a linked member's role connection; takes it away from one who is not linked any more, and gives the tokens
 * back. It looks at what is true when it runs, one at a time for each account, so that orders may come late and twice.
 */
export function createLinkedRoleDestinations(options: LinkedRoleDestinationOptions): readonly Destination[] {
  const { linkedRoles, exchange, rest, clock } = options;
  const { tokens: store } = linkedRoles;
  const path = `/users/@me/applications/${options.applicationId}/role-connection`;

  async function sync(account: DiscordAccount): Promise<Interpretation> {
    const claimed = await store.claim(account, { forMs: CLAIM_MS });
    if (claimed.status === "none") return { outcome: "delivered" };
    if (claimed.status === "busy") return { outcome: "retry", retryInMs: BUSY_RETRY_MS, reason: "It is being done." };
    if (claimed.status !== "claimed") throw new TypeError("The token store answered something unknown.");
    const { version, releasedAt } = claimed;
    const held: Held = { account, version, releasedAt, tokens: tokensSchema.parse(claimed.tokens) };
    try {
      return await bringUpToDate(held);
    } catch (error) {
      return interpretFailure(error);
    } finally {
      await store.release(account, held.version);
    }
  }

  async function bringUpToDate(held: Held): Promise<Interpretation> {
    const { account, releasedAt } = held;
    const values = await linkedRoles.describe(account);
    // A round through OAuth that broke off has left that; an unlink from here on notes a later moment.
    if (values !== null && releasedAt !== null) await store.keep(account, { releasedAt });
    const written = values !== null && (await asMember(held, (authorization) => write(authorization, values)));
    if (written) {
      // Unlinked while it was written: then nobody else would take it away.
      if ((await linkedRoles.describe(held.account)) !== null) return { outcome: "delivered" };
    } else if (values !== null) {
      await store.remove(held.account, held.version);
      return { outcome: "dead", reason: "The member has withdrawn the access; connecting once more gives it anew." };
    }
    const refusal = await giveBack(held);
    await store.remove(held.account, held.version);
    return refusal ?? { outcome: "delivered" };
  }

  /** Null when Discord says nothing of the member any more; what it answered when no further try would change that. */
  async function giveBack(held: Held): Promise<Interpretation | null> {
    try {
      const cleared = await asMember(held, (authorization) => rest.request({ method: "DELETE", path, authorization }));
      if (cleared) await exchange.revoke(held.tokens.refreshToken);
      return null;
    } catch (error) {
      const failure = error instanceof GrantedAnew ? null : interpretFailure(error);
      if (failure?.outcome === "dead") return failure;
      throw error;
    }
  }

  /** One after the other, each once; what could not be done for one does not keep the next ones waiting. */
  async function release(tenantId: string, signal: AbortSignal): Promise<Interpretation> {
    const tried = new Set<string>();
    let left: Interpretation | null = null;
    for (;;) {
      const waiting = (await store.released(tenantId, { except: [...tried] })).filter((id) => !tried.has(id));
      if (waiting.length === 0) return left ?? { outcome: "delivered" };
      for (const discordId of waiting) {
        if (signal.aborted) return { outcome: "retry", reason: "The time of the attempt was over." };
        tried.add(discordId);
        try {
          const done = await sync({ tenantId, discordId });
          if (done.outcome === "retry") left = done;
        } catch (error) {
          left = { outcome: "retry", reason: error instanceof Error ? error.message : String(error) };
        }
      }
    }
  }

  const write = (authorization: string, values: LinkedRoleValues) =>
    rest.request({
      method: "PUT",
      path,
      authorization,
      body: { platform_name: linkedRoles.platformName, metadata: toMetadata(values) },
    });

  /** Calls with a token that works, refreshed where needed; false when the member has taken it back. */
  async function asMember(held: Held, call: (authorization: string) => Promise<unknown>): Promise<boolean> {
    if (held.tokens.expiresAtMs - EXPIRY_MARGIN_MS <= clock.now() && !(await refresh(held))) return false;
    try {
      await call(`Bearer ${held.tokens.accessToken}`);
      return true;
    } catch (error) {
      if (!isDiscordConnectorError(error) || error.status !== 401) throw error;
    }
    if (!(await refresh(held))) return false;
    await call(`Bearer ${held.tokens.accessToken}`);
    return true;
  }

  async function refresh(held: Held): Promise<boolean> {
    let fresh: LinkedRoleTokens;
    try {
      fresh = await exchange.refresh(held.tokens.refreshToken);
    } catch (error) {
      if (isDiscordConnectorError(error) && error.code === "api_error" && error.status === 400) return false;
      throw error;
    }
    const version = await store.refresh(held.account, held.version, fresh);
    if (version === null) throw new GrantedAnew();
    held.version = version;
    held.tokens = fresh;
    return true;
  }

  return [
    defineDestination({
      id: SYNC_ID,
      plan: (_event, { endpoint: { tenantId, target } }) => {
        const { discordId } = targetSchema.parse(target);
        return { kind: "run", run: () => sync({ tenantId, discordId }) };
      },
    }),
    defineDestination({
      id: RELEASE_ID,
      plan: (_event, { endpoint: { tenantId, target }, signal }) => {
        const { notBefore } = releaseSchema.parse(target);
        const waitMs = notBefore === undefined ? 0 : Date.parse(notBefore) - clock.now();
        return waitMs > 0 ? { kind: "wait", waitMs } : { kind: "run", run: () => release(tenantId, signal) };
      },
    }),
  ];
}

interface Held {
  readonly account: DiscordAccount;
  readonly releasedAt: Date | null;
  version: number;
  tokens: LinkedRoleTokens;
}

/** The member has been through OAuth once more meanwhile; the next try takes the new tokens. */
class GrantedAnew extends Error {}

function interpretFailure(error: unknown): Interpretation {
  if (error instanceof GrantedAnew) return { outcome: "retry", retryInMs: 0, reason: "Allowed anew meanwhile." };
  if (!isDiscordConnectorError(error)) throw error;
  const { code, status, message: reason, retryAfterMs } = error;
  if (code === "rate_limited")
    return { outcome: "retry", reason, ...(retryAfterMs ? { retryInMs: retryAfterMs } : {}) };
  const lasting = code === "api_error" && status !== undefined && status < 500 && status !== 408;
  return { outcome: lasting ? "dead" : "retry", reason };
}

function toMetadata(values: LinkedRoleValues): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      value instanceof Date ? value.toISOString() : String(Number(value)),
    ]),
  );
}
