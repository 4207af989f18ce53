import type { Logger } from "@hookline/core";
import type { DispatcherHooks } from "@hookline/dispatcher";
import type { Environment } from "./environment.js";

/** What an operator has to hear of without asking: nothing more goes to an endpoint, or a delivery was given up. */
export function deliveryNotices(logger: Logger): DispatcherHooks {
  return {
    onEndpointDisabled({ tenantId, endpointId, endpointName, cause, reason }) {
      const about = { tenantId, endpointId, endpointName, cause, reason };
      logger.warn(about, "an endpoint was disabled; what is published for it is held until it is enabled");
    },
    onDeliveryExhausted({ tenantId, endpointId, deliveryId, eventType, reason }) {
      logger.warn({ tenantId, endpointId, deliveryId, eventType, reason }, "a delivery was given up");
    },
  };
}

const THIS_MACHINE = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/**
 * Commands and answers go to `DISCORD_API_BASE_URL` as it stands, but messages are deliveries, which the address guard
 * judges: with a simulator on this machine they would fail, and nothing else would.
 */
export function warnOfGuardedDiscord(environment: Environment, logger: Logger): void {
  const { protocol, hostname } = new URL(environment.DISCORD_API_BASE_URL);
  const missing = [
    ...(protocol === "http:" && !environment.ADDRESS_GUARD_ALLOW_HTTP ? ["ADDRESS_GUARD_ALLOW_HTTP=true"] : []),
    ...(THIS_MACHINE.test(hostname) && environment.ADDRESS_GUARD_ALLOW === undefined
      ? [`ADDRESS_GUARD_ALLOW=${hostname === "[::1]" ? "::1/128" : "127.0.0.0/8"}`]
      : []),
  ];
  if (missing.length === 0) return;
  logger.warn({ missing }, `no message reaches a channel: DISCORD_API_BASE_URL needs ${missing.join(" and ")}`);
}
