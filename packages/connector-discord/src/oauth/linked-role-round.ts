import type { Clock, Outbox } from "@hookline/core";
import { toLinkedRoleRelease, toLinkedRoleSync } from "../linked-roles/linked-role-destination.js";
import type { DiscordAccount, LinkedRolesOptions, LinkedRoleTokens } from "../linked-roles/options.js";
import type { MemberTickets } from "./member-ticket.js";

/** Who came from Discord's "Linked Roles": their role is being written, or they have to say which address is theirs. */
export type LinkedRoleOutcome = { readonly ok: true; readonly purpose: "linked_role"; readonly userName: string } & (
  | { readonly linked: true }
  | {
      readonly linked: false;
      /** For `POST /oauth/linked-role`, with the address. */
      readonly ticket: string;
    }
);

/** How long tokens of who has not confirmed an address are kept. */
const UNLINKED_KEPT_MS = 60 * 60 * 1_000;

/** Keeps what a member has allowed, and has Discord told of one who is linked. */
export function createLinkedRoleRound(options: {
  readonly linkedRoles: Pick<LinkedRolesOptions, "tokens" | "describe">;
  readonly tickets: MemberTickets;
  readonly clock: Clock;
}) {
  const { linkedRoles, tickets, clock } = options;

  return async function finish(
    member: { readonly account: DiscordAccount; readonly userName: string; readonly tokens: LinkedRoleTokens },
    outbox: Outbox,
  ): Promise<LinkedRoleOutcome> {
    const { account, userName, tokens } = member;
    const outcome = { ok: true, purpose: "linked_role", userName } as const;
    // First as of one who is not linked: whoever is linked from here on takes that back.
    await linkedRoles.tokens.save(account, tokens, { releaseAfterMs: UNLINKED_KEPT_MS });
    if ((await linkedRoles.describe(account)) !== null) {
      await linkedRoles.tokens.save(account, tokens);
      await outbox.send(toLinkedRoleSync(account));
      return { ...outcome, linked: true };
    }
    const notBefore = new Date(clock.now() + UNLINKED_KEPT_MS);
    await outbox.send(toLinkedRoleRelease(account.tenantId, { notBefore }));
    return { ...outcome, linked: false, ticket: tickets.issue({ ...account, userName }, clock.now()) };
  };
}
