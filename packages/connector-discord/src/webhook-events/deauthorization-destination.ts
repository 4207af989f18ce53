import { type Destination, type DirectSend, defineDestination, identitySubject } from "@hookline/core";
import { z } from "zod";
import type { Unlink } from "../interactions/unlink.js";
import type { DiscordAccount } from "../linked-roles/options.js";
import { DISCORD_PROVIDER_ID } from "../provider.js";

export interface DeauthorizationOptions {
  /** Null where nothing can be unlinked. */
  readonly unlink: Unlink | null;
  /** When the person allowed it last; null when that is not known. */
  readonly grantedAt: (account: DiscordAccount) => Promise<Date | null>;
}

const DESTINATION_ID = "discord-deauthorization";

const targetSchema = z.object({ discordId: z.string(), at: z.iso.datetime() });

/** The same event again makes no second delivery. */
export function toDeauthorization({ tenantId, discordId, at }: DiscordAccount & { readonly at: Date }): DirectSend {
  return {
    tenantId,
    destination: DESTINATION_ID,
    target: { discordId, at: at.toISOString() },
    data: {},
    subjectIds: [identitySubject({ kind: DISCORD_PROVIDER_ID, value: discordId })],
    idempotencyKey: `discord.application_deauthorized:${discordId}:${at.toISOString()}`,
  };
}

/** Unlinks a member who has removed the application, unless they have allowed it anew since: events come late. */
export function createDeauthorizationDestination({ unlink, grantedAt }: DeauthorizationOptions): Destination {
  return defineDestination({
    id: DESTINATION_ID,
    plan(_event, { endpoint: { tenantId, target } }) {
      if (unlink === null) return null;
      const { discordId, at } = targetSchema.parse(target);
      return {
        kind: "run",
        async run() {
          const granted = await grantedAt({ tenantId, discordId });
          if (granted !== null && granted.getTime() > Date.parse(at)) {
            return { outcome: "delivered", reason: "The member has allowed it anew since." };
          }
          const requestId = `deauthorized:${discordId}:${at}`;
          await unlink({ discordUserId: discordId, tenantId, reason: "deauthorized", requestId });
          return { outcome: "delivered" };
        },
      };
    },
  });
}
