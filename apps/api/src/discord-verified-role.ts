import type { DiscordActionFailure, DiscordActions } from "@hookline/connector-discord";
import type { AfterBindOutcome } from "@hookline/engine";
import type { DiscordGuilds } from "./discord-guilds.js";

interface Member {
  readonly tenantId: string;
  readonly userId: string;
}

/** Gives and takes the role of linked members, in every server of the tenant that has one; both are idempotent. */
export function createVerifiedRole(options: {
  readonly guilds: Pick<DiscordGuilds, "verifiedRoles">;
  readonly actions: () => Pick<DiscordActions, "grantRole" | "removeRole">;
}) {
  async function change(
    action: "grantRole" | "removeRole",
    { tenantId, userId }: Member,
  ): Promise<AfterBindOutcome | undefined> {
    const failures: DiscordActionFailure[] = [];
    let changed = 0;
    for (const role of await options.guilds.verifiedRoles(tenantId)) {
      const result = await options.actions()[action]({ ...role, userId });
      if (result.ok) changed += 1;
      else failures.push(result);
    }
    // Nobody is a member of all servers; of none is worth a word in the attempt log.
    return outcomeOf(failures.filter(({ code }) => changed === 0 || code !== "unknown_member"));
  }

  return {
    grant: (member: Member) => change("grantRole", member),
    remove: (member: Member) => change("removeRole", member),
  };
}

/** What failed for good in one server does not keep the others from being tried again. */
function outcomeOf(failures: readonly DiscordActionFailure[]): AfterBindOutcome | undefined {
  if (failures.length === 0) return undefined;
  const waits = failures.flatMap((failure) => (failure.code === "rate_limited" ? [failure.retryAfterMs] : []));
  return {
    outcome: failures.some(({ retry }) => retry) ? "retry" : "dead",
    reason: [...new Set(failures.map(({ message }) => message))].join(" "),
    ...(waits.length > 0 ? { retryAfterMs: Math.max(...waits) } : {}),
  };
}
