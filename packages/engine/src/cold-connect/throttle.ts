import { createRateLimiter } from "../storage/rate-limiter.js";
import type { Binding, ResolvedOptions } from "./options.js";

/** True while both the platform user and the address may cause another mail. Throws when the store fails. */
export type Throttle = (binding: Binding) => Promise<boolean>;

export function createThrottle({ store, connectorId, throttle }: ResolvedOptions): Throttle {
  const { maxPerUser, maxPerAddress, windowSeconds } = throttle;
  const perUser = createRateLimiter(store, { name: "confirm-user", max: maxPerUser, windowSeconds });
  const perAddress = createRateLimiter(store, { name: "confirm-address", max: maxPerAddress, windowSeconds });
  return async ({ tenantId, platformUserId, email }) => {
    // The user first: who is over its own limit must not use up another person's.
    const user = await perUser.consume(JSON.stringify([tenantId, connectorId, platformUserId]));
    if (!user.allowed) return false;
    const address = await perAddress.consume(JSON.stringify([tenantId, mailboxOf(email)]));
    return address.allowed;
  };
}

/** The mailbox behind an address: `jo+news@example.com` reaches the same person as `jo@example.com`. */
export function mailboxOf(email: string): string {
  return email.replace(/(?<=^[^+@]+)\+[^@]*(?=@)/, "");
}
