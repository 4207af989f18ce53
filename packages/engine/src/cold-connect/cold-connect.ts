import type { OpenAPIHono } from "@hono/zod-openapi";
import { type Destination, newId } from "@hookline/core";
import { normaliseEmail } from "../identity/email.js";
import { retryConflicts } from "../storage/conflicts.js";
import { createSweeper } from "../storage/sweep.js";
import { type BindResult, bindIn, createAfterBindDestination } from "./bind.js";
import { mintToken } from "./confirm-token.js";
import { createConnectRoutes } from "./connect-routes.js";
import { type Binding, type ColdConnectOptions, resolveOptions } from "./options.js";
import { createThrottle } from "./throttle.js";

export interface ConfirmInput {
  readonly platformUserId: string;
  /** As the platform shows it; the page names it. */
  readonly platformUserName: string;
  readonly email: string;
  readonly tenantId?: string;
}

/** `rate_limited`: too many links were asked for. `unavailable`: it can't be told or stored, so no. Never mail then. */
export type MintResult =
  | { readonly ok: true; readonly token: string }
  | { readonly ok: false; readonly reason: "rate_limited" | "unavailable" };

export interface ColdConnect {
  /**
   * Makes the token of a confirm link, after the throttle allowed it. A throttle that can't count refuses.
   *
   * @throws EngineError `invalid_email`
   */
  mintConfirm(input: ConfirmInput): Promise<MintResult>;
  /** The link to mail. It carries the token: never log it. */
  confirmUrl(link: { readonly apiPublicUrl: string; readonly token: string }): string;
  /**
   * Binds at once what was proven in another way, such as by OAuth with the address that the link was issued for.
   * Ends exactly as a confirmed link does: one contact, the linked event, `afterBind`. The same key binds once.
   *
   * @throws EngineError `invalid_email`
   */
  bind(input: ConfirmInput & { readonly idempotencyKey?: string }): Promise<BindResult>;
  /** GET and POST `/connect/{connectorId}`: goes into `createApp`'s `routes`. */
  readonly routes: OpenAPIHono;
  /** Runs `afterBind`: has to be registered with the dispatcher. */
  readonly destination: Destination;
}

/**
 * Links a platform account to an email address by a confirm link. The engine's migrations hold its tables.
 *
 * @throws EngineError `invalid_options`
 */
export function createColdConnect(input: ColdConnectOptions): ColdConnect {
  const options = resolveOptions(input);
  const { store, connectorId } = options;
  const allows = createThrottle(options);
  const sweeper = createSweeper(store);

  const toBinding = ({
    platformUserId,
    platformUserName,
    email,
    tenantId = options.tenantId,
  }: ConfirmInput): Binding => ({
    tenantId,
    platformUserId,
    platformUserName,
    email: normaliseEmail(email),
  });

  return {
    async mintConfirm(confirm) {
      const binding = toBinding(confirm);
      try {
        if (!(await allows(binding))) return { ok: false, reason: "rate_limited" };
        await sweeper.sweepIfDue();
        return { ok: true, token: await mintToken(options, binding) };
      } catch (error) {
        store.logger.error({ err: error, connectorId }, "no confirm link could be made");
        return { ok: false, reason: "unavailable" };
      }
    },

    confirmUrl({ apiPublicUrl, token }) {
      const url = new URL(`${apiPublicUrl.replace(/\/+$/, "")}/connect/${connectorId}`);
      url.searchParams.set("token", token);
      return url.href;
    },

    bind({ idempotencyKey = newId("lnk", store.clock.now()), ...confirm }) {
      const binding = toBinding(confirm);
      return retryConflicts(() =>
        store.database.transaction((tx) => bindIn(tx, options, { binding, key: idempotencyKey })),
      );
    },

    routes: createConnectRoutes(options),
    destination: createAfterBindDestination(options),
  };
}
