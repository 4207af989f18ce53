import { newId } from "@hookline/core";
import {
  type Alert,
  type Asset,
  type AssetStatus,
  alertTriggered,
  assetCreated,
  assetUpdated,
} from "../events/inventory-events.js";
import { announce } from "./announce.js";
import type { DeskStore } from "./desk-store.js";

/** Assets, and the alerts that monitors raise. Each change publishes its event in its own transaction. */
export interface Inventory {
  addAsset(asset: NewAsset): Promise<Asset>;
  /** Null: the tenant has no such asset. What changes nothing publishes nothing. */
  changeAsset(key: { readonly tenantId: string; readonly id: string }, change: AssetChange): Promise<Asset | null>;
  listAssets(tenantId: string): Promise<readonly Asset[]>;
  triggerAlert(alert: NewAlert): Promise<Alert>;
}

export interface NewAsset {
  readonly tenantId: string;
  readonly name: string;
  readonly description: string;
  readonly createdBy: string;
}

export interface AssetChange {
  readonly changedBy: string;
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly status?: AssetStatus | undefined;
}

export interface NewAlert {
  readonly tenantId: string;
  readonly title: string;
  readonly message: string;
  readonly severity: Alert["severity"];
  readonly source: string;
}

interface AssetRow {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly status: AssetStatus;
  readonly created_by: string;
  readonly created_at: Date;
  readonly updated_by: string | null;
  readonly updated_at: Date | null;
}

const COLUMNS = "id, name, description, status, created_by, created_at, updated_by, updated_at";

export function createInventory(options: DeskStore): Inventory {
  const { database, schema } = options;

  return {
    addAsset: ({ tenantId, name, description, createdBy }) =>
      database.transaction(async (transaction) => {
        const now = new Date();
        const [row] = await transaction.query<AssetRow>(
          `INSERT INTO ${schema}.assets (id, tenant_id, name, description, status, created_by, created_at)
           VALUES ($1, $2, $3, $4, 'active', $5, $6) RETURNING ${COLUMNS}`,
          [newId("ast", now.getTime()), tenantId, name, description, createdBy, now],
        );
        if (row === undefined) throw new Error("The asset was not stored.");
        const asset = fromRow(row);
        await announce(options, transaction, { tenantId, as: [assetCreated], data: asset, subject: asset.id });
        return asset;
      }),

    changeAsset: ({ tenantId, id }, change) =>
      database.transaction(async (transaction) => {
        const [before] = await transaction.query<AssetRow>(
          `SELECT ${COLUMNS} FROM ${schema}.assets WHERE tenant_id = $1 AND id = $2 FOR UPDATE`,
          [tenantId, id],
        );
        if (before === undefined) return null;
        const { name = before.name, description = before.description, status = before.status } = change;
        if (name === before.name && description === before.description && status === before.status) {
          return fromRow(before);
        }
        const [row] = await transaction.query<AssetRow>(
          `UPDATE ${schema}.assets SET name = $3, description = $4, status = $5, updated_by = $6, updated_at = $7
           WHERE tenant_id = $1 AND id = $2 RETURNING ${COLUMNS}`,
          [tenantId, id, name, description, status, change.changedBy, new Date()],
        );
        if (row === undefined) throw new Error(`Asset ${id} vanished while it was changed.`);
        const asset = fromRow(row);
        await announce(options, transaction, { tenantId, as: [assetUpdated], data: asset, subject: asset.id });
        return asset;
      }),

    listAssets: async (tenantId) => {
      const rows = await database.query<AssetRow>(
        `SELECT ${COLUMNS} FROM ${schema}.assets WHERE tenant_id = $1 ORDER BY id DESC LIMIT 100`,
        [tenantId],
      );
      return rows.map(fromRow);
    },

    triggerAlert: ({ tenantId, ...request }) =>
      database.transaction(async (transaction) => {
        const now = new Date();
        const alert: Alert = { id: newId("alr", now.getTime()), ...request, triggered_at: now.toISOString() };
        await transaction.query(
          `INSERT INTO ${schema}.alerts (id, tenant_id, title, message, severity, source, triggered_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7)`,
          [alert.id, tenantId, alert.title, alert.message, alert.severity, alert.source, now],
        );
        await announce(options, transaction, { tenantId, as: [alertTriggered], data: alert, subject: alert.id });
        return alert;
      }),
  };
}

function fromRow({ created_at, updated_by, updated_at, ...row }: AssetRow): Asset {
  return {
    ...row,
    created_at: created_at.toISOString(),
    ...(updated_by === null ? {} : { updated_by }),
    ...(updated_at === null ? {} : { updated_at: updated_at.toISOString() }),
  };
}
