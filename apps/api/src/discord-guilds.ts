import { DISCORD_PROVIDER_ID, type InstalledGuild } from "@hookline/connector-discord";
import type { Logger } from "@hookline/core";
import type { Installation, Installations } from "@hookline/engine";
import { z } from "zod";

/** A role of a server. */
export interface GuildRole {
  readonly guildId: string;
  readonly roleId: string;
}

/** One of a tenant's servers. */
export interface ConnectedGuild {
  readonly id: string;
  readonly name: string | null;
  readonly installedAt: string;
  /** The role that linked members get there; null for none. */
  readonly verifiedRoleId: string | null;
}

/** Whose each Discord server is, and which role linked members get there. */
export interface DiscordGuilds {
  /** The tenant of a server; null for one that nobody has connected. A direct message is the app's own tenant's. */
  tenantOf(guildId: string | null): Promise<string | null>;
  /** False when the server is another tenant's. */
  save(guild: InstalledGuild): Promise<boolean>;
  /** Maps the server of the environment; false when another tenant has it by now. */
  ensureOwn(): Promise<boolean>;
  /** Everybody who has a server here, and the app's own tenant. */
  tenants(): Promise<readonly string[]>;
  /** The ids of every tenant's servers. */
  all(): Promise<readonly string[]>;
  list(tenantId: string): Promise<readonly ConnectedGuild[]>;
  /** The roles of a tenant's linked members. */
  verifiedRoles(tenantId: string): Promise<readonly GuildRole[]>;
  /** Sets the role of linked members in one of the tenant's servers; null when it is none of them. */
  setVerifiedRole(change: {
    readonly tenantId: string;
    readonly guildId: string;
    /** Null for none, also in the app's own server, which has that of the environment until this says another. */
    readonly roleId: string | null;
    readonly actor: string;
  }): Promise<ConnectedGuild | null>;
  remove(guild: { readonly tenantId: string; readonly guildId: string; readonly actor: string }): Promise<boolean>;
}

export interface DiscordGuildsOptions {
  /** The engine is made after what is made with this. */
  readonly installations: () => Installations;
  readonly own: { readonly guildId: string; readonly tenantId: string; readonly verifiedRoleId: string | null };
  readonly logger: Logger;
}

export function createDiscordGuilds({ installations, own, logger }: DiscordGuildsOptions): DiscordGuilds {
  const roleIn = ({ installationId, settings }: Installation): string | null => {
    const { verifiedRoleId } = settingsSchema.parse(settings);
    if (verifiedRoleId !== undefined) return verifiedRoleId;
    return installationId === own.guildId ? own.verifiedRoleId : null;
  };
  const toGuild = (installation: Installation): ConnectedGuild => ({
    id: installation.installationId,
    name: installation.name,
    installedAt: installation.installedAt,
    verifiedRoleId: roleIn(installation),
  });
  const list = async (tenantId: string) =>
    (await installations().list({ connectorId: DISCORD_PROVIDER_ID, tenantId })).map(toGuild);
  const keyOf = (guildId: string) => ({ connectorId: DISCORD_PROVIDER_ID, installationId: guildId });
  return {
    tenantOf: async (guildId) => (guildId === null ? own.tenantId : installations().tenantOf(keyOf(guildId))),
    async save({ id, name, tenantId }) {
      return (await installations().save({ ...keyOf(id), name, tenantId })).ok;
    },
    async ensureOwn() {
      const known = await installations().get(keyOf(own.guildId));
      if (known?.tenantId === own.tenantId) return true;
      const saved =
        known === null && (await installations().save({ ...keyOf(own.guildId), tenantId: own.tenantId })).ok;
      if (!saved) logger.error({ guildId: own.guildId }, "the server of DISCORD_GUILD_ID belongs to another tenant");
      return saved;
    },
    async tenants() {
      return [...new Set([own.tenantId, ...(await installations().tenants(DISCORD_PROVIDER_ID))])];
    },
    async all() {
      const tenants = await installations().tenants(DISCORD_PROVIDER_ID);
      const lists = tenants.map((tenantId) => installations().list({ connectorId: DISCORD_PROVIDER_ID, tenantId }));
      return (await Promise.all(lists)).flat().map(({ installationId }) => installationId);
    },
    list,
    async verifiedRoles(tenantId) {
      return (await list(tenantId)).flatMap(({ id: guildId, verifiedRoleId: roleId }) =>
        roleId === null ? [] : [{ guildId, roleId }],
      );
    },
    async setVerifiedRole({ tenantId, guildId, roleId, actor }) {
      const settings = { verifiedRoleId: roleId };
      const changed = await installations().changeSettings({ ...keyOf(guildId), tenantId, settings, actor });
      return changed && toGuild(changed);
    },
    remove: ({ guildId, ...by }) => installations().remove({ ...keyOf(guildId), ...by }),
  };
}

/** What is kept for each server. Without a role nobody has said which, and with null that there is none. */
const settingsSchema = z.object({ verifiedRoleId: z.string().nullable().optional() });
