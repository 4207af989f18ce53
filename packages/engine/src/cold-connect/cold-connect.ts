import type { OpenAPIHono } from "@hono/zod-openapi";
import { type Destination, newId } from "@hookline/core";
import { EngineError } from "../errors.js";
import { normaliseEmail } from "../identity/email.js";
import { retryConflicts } from "../storage/conflicts.js";
import { createSweeper } from "../storage/sweep.js";
import { type BindResult, bindIn, createAfterBindDestination } from "./bind.js";
import { isBlocked } from "./block.js";
import { createConfirmMailDestination, sendConfirmMail } from "./confirm-mailing.js";
import { isRequested, mintToken } from "./confirm-token.js";
import { createConnectRoutes } from "./connect-routes.js";
import { type Binding, type ColdConnectOptions, resolveOptions } from "./options.js";
import { createThrottle } from "./throttle.js";
import { createAfterUnbindDestination, type UnbindResult, unbindIn } from "./unbind.js";

export interface ConfirmInput {
  readonly platformUserId: string;
  /** As the platform shows it; the page names it. */
  readonly platformUserName: string;
  readonly email: string;
  readonly tenantId?: string;
}

export interface UnbindInput {
  readonly platformUserId: string;
  readonly tenantId?: string;
  /** Why, as the event says it, such as `member` or `deauthorized`; `member` when absent. */
  readonly reason?: string;
  readonly idempotencyKey?: string;
}

/** `rate_limited`: too many links were asked for. `unavailable`: it can't be told or stored, so no. Never mail then. */
export type MintResult =
  | { readonly ok: true; readonly token: string }
  | { readonly ok: false; readonly reason: "rate_limited" | "unavailable" };

/** As {@link MintResult}, once the mail is on its way. */
export type RequestResult = { readonly ok: true } | Extract<MintResult, { ok: false }>;

export interface ColdConnect {
  /**
   * Makes the token of a confirm link, after the throttle allowed it. A throttle that can't count refuses.
   *
   * @throws EngineError `invalid_email`
   */
  mintConfirm(input: ConfirmInput): Promise<MintResult>;
  /**
   * Makes a link and has it mailed by `mail.mailer`, as a delivery: retried until the link has run out. Token and
   * delivery are one transaction. A second call with the same key makes no second link and sends no second mail, and
   * answers the same; so an interaction's id is a good key.
   *
   * @throws EngineError `invalid_email`
   */
  requestConfirm(input: ConfirmInput & { readonly idempotencyKey?: string }): Promise<RequestResult>;
  /** The link to mail. It carries the token: never log it. */
  confirmUrl(link: { readonly apiPublicUrl: string; readonly token: string }): string;
  /**
   * Binds at once what was proven in another way, such as by OAuth with the address that the link was issued for.
   * Ends exactly as a confirmed link does: one contact, the linked event, `afterBind`. The same key binds once.
   *
   * @throws EngineError `invalid_email`
   */
  bind(input: ConfirmInput & { readonly idempotencyKey?: string }): Promise<BindResult>;
  /**
   * Takes an account away from its contact: the identity goes, and with it what is known of the contact by the
   * connector's merged properties; the contact and its timeline stay. Publishes `unlinkedEvent` about the contact with
   * `reason`, and runs `afterUnbind`. Idempotent: what is not linked is left as it is. The same key publishes once.
   *
   * @throws EngineError `invalid_identity`
   */
  unbind(input: UnbindInput): Promise<UnbindResult>;
  /** GET and POST `/connect/{connectorId}`: goes into `createApp`'s `routes`. */
  readonly routes: OpenAPIHono;
  /** Runs `afterBind`: has to be registered with the dispatcher. */
  readonly destination: Destination;
  /** Runs `afterUnbind`: has to be registered with the dispatcher where that is used. */
  readonly unbindDestination: Destination;
  /** Mails the links of `requestConfirm`: has to be registered with the dispatcher where that is used. */
  readonly mailDestination: Destination;
}

const UNAVAILABLE = { ok: false, reason: "unavailable" } as const;

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

  const unavailable = (error: unknown): typeof UNAVAILABLE => {
    store.logger.error({ err: error, connectorId }, "no confirm link could be made");
    return UNAVAILABLE;
  };

  /** Null when the account may cause a mail to the address. */
  const refusalOf = async (binding: Binding): Promise<Extract<MintResult, { ok: false }> | null> => {
    try {
      await sweeper.sweepIfDue();
      // Who is blocked is told what any other is told that asks too often.
      const may = !(await isBlocked(options, binding)) && (await allows(binding));
      return may ? null : { ok: false, reason: "rate_limited" };
    } catch (error) {
      return unavailable(error);
    }
  };

  const urlOf = (apiPublicUrl: string, token: string): string => {
    const url = new URL(`${apiPublicUrl.replace(/\/+$/, "")}/connect/${connectorId}`);
    url.searchParams.set("token", token);
    return url.href;
  };

  return {
    async mintConfirm(confirm) {
      const binding = toBinding(confirm);
      const refusal = await refusalOf(binding);
      if (refusal) return refusal;
      try {
        const minted = await mintToken(options, { binding });
        return minted ? { ok: true, token: minted.token } : UNAVAILABLE;
      } catch (error) {
        return unavailable(error);
      }
    },

    async requestConfirm({ idempotencyKey: requestKey, ...confirm }) {
      const binding = toBinding(confirm);
      const { mail } = options;
      if (!mail) return unavailable(new EngineError("invalid_options", "requestConfirm needs the option mail."));
      const { tenantId } = binding;
      const isKnown = async () => requestKey !== undefined && (await isRequested(options, { tenantId, requestKey }));
      try {
        if (await isKnown()) return { ok: true };
        const refusal = await refusalOf(binding);
        // The same request, made at the same time, may have been the one that was let through.
        if (refusal) return (await isKnown()) ? { ok: true } : refusal;
        await store.database.transaction(async (tx) => {
          const minted = await mintToken(options, { binding, requestKey }, tx);
          if (minted)
            await sendConfirmMail(tx, options, { binding, minted, url: urlOf(mail.apiPublicUrl, minted.token) });
        });
        return { ok: true };
      } catch (error) {
        return unavailable(error);
      }
    },

    confirmUrl: ({ apiPublicUrl, token }) => urlOf(apiPublicUrl, token),

    bind({ idempotencyKey = newId("lnk", store.clock.now()), ...confirm }) {
      const binding = toBinding(confirm);
      return retryConflicts(() =>
        store.database.transaction((tx) => bindIn(tx, options, { binding, key: idempotencyKey })),
      );
    },

    unbind({ platformUserId, tenantId = options.tenantId, reason = "member", idempotencyKey }) {
      const key = idempotencyKey ?? newId("unl", store.clock.now());
      return retryConflicts(() =>
        store.database.transaction((tx) => unbindIn(tx, options, { tenantId, platformUserId, reason, key })),
      );
    },

    routes: createConnectRoutes(options),
    destination: createAfterBindDestination(options),
    unbindDestination: createAfterUnbindDestination(options),
    mailDestination: createConfirmMailDestination(options),
  };
}
