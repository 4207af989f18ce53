import type { Transaction } from "@hookline/core";
import { writeAudit } from "../access/audit.js";
import { DEFAULTS } from "../defaults.js";
import type { Store } from "../storage/store.js";
import { createTenantCache } from "./tenant-cache.js";

/** Where a connector is installed: a Discord server, a Slack workspace. */
export interface Installation {
  readonly connectorId: string;
  /** The platform's own id of it. */
  readonly installationId: string;
  readonly tenantId: string;
  /** As the platform shows it. */
  readonly name: string | null;
  /** What the app keeps for it. No secrets: it is stored readable. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** ISO 8601. */
  readonly installedAt: string;
}

export type InstallationKey = Pick<Installation, "connectorId" | "installationId">;

export interface NewInstallation extends InstallationKey {
  readonly tenantId: string;
  /** Absent leaves the stored one. */
  readonly name?: string | null;
  /** Replace the stored ones; absent leaves them. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Who asks, for the audit log. */
  readonly actor?: string;
}

export interface SettingsChange extends InstallationKey {
  readonly tenantId: string;
  /** Each replaces the stored one of its name. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Who asks, for the audit log. */
  readonly actor?: string;
}

/** `other_tenant`: it belongs to somebody else, and has to be removed there first. */
export type SavedInstallation =
  | { readonly ok: true; readonly installation: Installation }
  | { readonly ok: false; readonly reason: "other_tenant" };

/** Which installation is whose. One installation belongs to one tenant, a tenant may have many. */
export interface Installations {
  /** Makes or changes one; never takes one from another tenant. */
  save(installation: NewInstallation): Promise<SavedInstallation>;
  /**
   * Changes these settings of a tenant's installation and leaves the others, also those that somebody else changes at the
   * same time. Null when the tenant has no such installation.
   */
  changeSettings(change: SettingsChange): Promise<Installation | null>;
  /** Null where there is none. */
  get(key: InstallationKey): Promise<Installation | null>;
  /**
   * The tenant, or null. Kept in memory for some seconds: a change by another process is seen after 15 s, a new
   * installation after 2 s.
   */
  tenantOf(key: InstallationKey): Promise<string | null>;
  /** A tenant's, ordered by their id. */
  list(query: { readonly connectorId: string; readonly tenantId: string }): Promise<readonly Installation[]>;
  /** The tenants that have one of this connector. */
  tenants(connectorId: string): Promise<readonly string[]>;
  /** False when the tenant has no such installation. */
  remove(key: InstallationKey & { readonly tenantId: string; readonly actor?: string }): Promise<boolean>;
}

interface InstallationRow {
  readonly connector_id: string;
  readonly installation_id: string;
  readonly tenant_id: string;
  readonly name: string | null;
  readonly settings: string;
  readonly installed_at: Date;
}

const COLUMNS = "connector_id, installation_id, tenant_id, name, settings, installed_at";

export function createInstallations(store: Store): Installations {
  const { database, schema, clock } = store;
  const cache = createTenantCache({ clock, ...DEFAULTS.installations });

  async function get({ connectorId, installationId }: InstallationKey): Promise<Installation | null> {
    const [row] = await database.query<InstallationRow>(
      `select ${COLUMNS} from "${schema}".installations where connector_id = $1 and installation_id = $2`,
      [connectorId, installationId],
    );
    return row ? toInstallation(row) : null;
  }

  async function auditSaved(
    tx: Transaction,
    { connectorId, installationId, tenantId, actor }: InstallationKey & { tenantId: string; actor: string | undefined },
  ): Promise<void> {
    const act = { tenantId, action: "installation.saved", target: installationId, details: { connectorId } };
    await writeAudit(store, tx, [{ ...act, ...(actor === undefined ? {} : { actor }) }]);
  }

  return {
    get,

    async save({ connectorId, installationId, tenantId, name, settings, actor }) {
      const saved = await database.transaction(async (tx) => {
        const [row] = await tx.query<InstallationRow>(
          `insert into "${schema}".installations as kept (${COLUMNS})
           values ($1, $2, $3, $4, coalesce($5, '{}'), $6)
           on conflict (connector_id, installation_id) do update
             set name = coalesce(excluded.name, kept.name), settings = coalesce($5, kept.settings)
             where kept.tenant_id = excluded.tenant_id
           returning ${COLUMNS}`,
          [
            connectorId,
            installationId,
            tenantId,
            name ?? null,
            settings === undefined ? null : JSON.stringify(settings),
            new Date(clock.now()),
          ],
        );
        if (!row) return null;
        await auditSaved(tx, { tenantId, connectorId, installationId, actor });
        return toInstallation(row);
      });
      cache.forget({ connectorId, installationId });
      return saved ? { ok: true, installation: saved } : { ok: false, reason: "other_tenant" };
    },

    changeSettings: ({ connectorId, installationId, tenantId, settings, actor }) =>
      database.transaction(async (tx) => {
        const [row] = await tx.query<InstallationRow>(
          `update "${schema}".installations set settings = (settings::jsonb || $4::text::jsonb)::text
           where connector_id = $1 and installation_id = $2 and tenant_id = $3
           returning ${COLUMNS}`,
          [connectorId, installationId, tenantId, JSON.stringify(settings)],
        );
        if (!row) return null;
        await auditSaved(tx, { tenantId, connectorId, installationId, actor });
        return toInstallation(row);
      }),

    tenantOf: (key) => cache.get(key, async () => (await get(key))?.tenantId ?? null),

    async list({ connectorId, tenantId }) {
      const rows = await database.query<InstallationRow>(
        `select ${COLUMNS} from "${schema}".installations
         where tenant_id = $1 and connector_id = $2 order by installation_id`,
        [tenantId, connectorId],
      );
      return rows.map(toInstallation);
    },

    async tenants(connectorId) {
      const rows = await database.query<{ tenant_id: string }>(
        `select distinct tenant_id from "${schema}".installations where connector_id = $1 order by tenant_id`,
        [connectorId],
      );
      return rows.map((row) => row.tenant_id);
    },

    async remove({ connectorId, installationId, tenantId, actor }) {
      const removed = await database.transaction(async (tx) => {
        const rows = await tx.query(
          `delete from "${schema}".installations
           where connector_id = $1 and installation_id = $2 and tenant_id = $3 returning installation_id`,
          [connectorId, installationId, tenantId],
        );
        if (rows.length === 0) return false;
        const act = { tenantId, action: "installation.removed", target: installationId, details: { connectorId } };
        await writeAudit(store, tx, [{ ...act, ...(actor === undefined ? {} : { actor }) }]);
        return true;
      });
      cache.forget({ connectorId, installationId });
      return removed;
    },
  };
}

function toInstallation(row: InstallationRow): Installation {
  return {
    connectorId: row.connector_id,
    installationId: row.installation_id,
    tenantId: row.tenant_id,
    name: row.name,
    settings: JSON.parse(row.settings),
    installedAt: row.installed_at.toISOString(),
  };
}
