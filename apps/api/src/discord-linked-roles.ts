import { DISCORD_PROVIDER_ID, type DiscordAccount, type LinkedRolesOptions } from "@hookline/connector-discord";
import type { Engine } from "@hookline/engine";

/** What servers can ask of members in linked roles: that they have an address here, and since when they are known. */
export function createLinkedRoles(options: {
  readonly platformName: string;
  /** The engine is made after what is made with this. */
  readonly engine: () => Engine;
}): LinkedRolesOptions {
  const { engine } = options;
  const keyOf = ({ tenantId, discordId }: DiscordAccount) => ({
    tenantId,
    connectorId: DISCORD_PROVIDER_ID,
    accountId: discordId,
  });
  return {
    platformName: options.platformName,
    fields: [
      { key: "verified", type: "boolean_equal", name: "Verified", description: "Has a confirmed email address" },
      { key: "known_since", type: "datetime_at_least", name: "Known for", description: "Days since first seen" },
    ],
    tokens: {
      save: (account, tokens, options) => engine().accountTokens.save(keyOf(account), { ...tokens }, options),
      grantedAt: (account) => engine().accountTokens.grantedAt(keyOf(account)),
      claim: (account, claim) => engine().accountTokens.claim(keyOf(account), claim),
      refresh: (account, version, tokens) => engine().accountTokens.refresh(keyOf(account), version, { ...tokens }),
      keep: (account, noted) => engine().accountTokens.keep(keyOf(account), noted),
      release: (account, version) => engine().accountTokens.release(keyOf(account), version),
      remove: (account, version) => engine().accountTokens.remove(keyOf(account), version),
      released: (tenantId, past) =>
        engine().accountTokens.released({ tenantId, connectorId: DISCORD_PROVIDER_ID }, past),
    },
    async describe({ tenantId, discordId }) {
      const identity = { kind: DISCORD_PROVIDER_ID, value: discordId };
      const contact = await engine().contacts.findByIdentity({ tenantId, ...identity });
      if (!contact?.identities.some(({ kind }) => kind === "email")) return null;
      return { verified: true, known_since: new Date(contact.firstSeenAt ?? contact.createdAt) };
    },
  };
}
