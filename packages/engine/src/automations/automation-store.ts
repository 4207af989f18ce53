import type { SqlQuery } from "@hookline/core";
import type { Store } from "../storage/store.js";
import type { AutomationDefinition } from "./definition.js";

/** An automation in its newest version. */
export interface Automation extends AutomationDefinition {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
  readonly active: boolean;
  /** 1 for the first; each change of the definition adds one. */
  readonly version: number;
  /** ISO 8601. */
  readonly createdAt: string;
  /** ISO 8601. */
  readonly updatedAt: string;
}

interface AutomationRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly name: string;
  readonly active: boolean;
  readonly version: number;
  readonly definition: string;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const COLUMNS = "a.id, a.tenant_id, a.name, a.active, a.version, v.definition, a.created_at, a.updated_at";

export interface AutomationKey {
  readonly tenantId: string;
  readonly id: string;
}

export type AutomationStore = ReturnType<typeof createAutomationStore>;

/** Automations and their versions, which are only added to: an execution finds the one that it began with. */
export function createAutomationStore({ schema }: Store) {
  const newest = `"${schema}".automations a join "${schema}".automation_versions v
    on v.automation_id = a.id and v.version = a.version`;

  const writeVersion = (query: SqlQuery, automation: Automation) =>
    query(
      `insert into "${schema}".automation_versions (automation_id, version, definition, created_at) values ($1, $2, $3, $4)`,
      [automation.id, automation.version, definitionText(automation), new Date(automation.updatedAt)],
    );

  return {
    async insert(query: SqlQuery, automation: Automation): Promise<void> {
      await query(
        `insert into "${schema}".automations (id, tenant_id, name, active, version, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $6)`,
        [
          automation.id,
          automation.tenantId,
          automation.name,
          automation.active,
          automation.version,
          new Date(automation.createdAt),
        ],
      );
      await writeVersion(query, automation);
    },

    async update(query: SqlQuery, automation: Automation, { isNewVersion }: { isNewVersion: boolean }): Promise<void> {
      await query(
        `update "${schema}".automations set name = $2, active = $3, version = $4, updated_at = $5 where id = $1`,
        [automation.id, automation.name, automation.active, automation.version, new Date(automation.updatedAt)],
      );
      if (isNewVersion) await writeVersion(query, automation);
    },

    async get(query: SqlQuery, { tenantId, id }: AutomationKey): Promise<Automation | null> {
      const [row] = await query<AutomationRow>(
        `select ${COLUMNS} from ${newest} where a.tenant_id = $1 and a.id = $2`,
        [tenantId, id],
      );
      return row === undefined ? null : fromRow(row);
    },

    /** {@link get}; nobody else changes it until the transaction ends. */
    async lock(query: SqlQuery, { tenantId, id }: AutomationKey): Promise<Automation | null> {
      const [row] = await query<AutomationRow>(
        `select ${COLUMNS} from ${newest} where a.tenant_id = $1 and a.id = $2 for update of a`,
        [tenantId, id],
      );
      return row === undefined ? null : fromRow(row);
    },

    async list(query: SqlQuery, tenantId: string): Promise<readonly Automation[]> {
      const rows = await query<AutomationRow>(
        `select ${COLUMNS} from ${newest} where a.tenant_id = $1 order by a.id desc`,
        [tenantId],
      );
      return rows.map(fromRow);
    },

    async definitionOf(query: SqlQuery, id: string, version: number): Promise<AutomationDefinition | null> {
      const [row] = await query<{ readonly definition: string }>(
        `select definition from "${schema}".automation_versions where automation_id = $1 and version = $2`,
        [id, version],
      );
      return row === undefined ? null : (JSON.parse(row.definition) as AutomationDefinition);
    },

    async delete(query: SqlQuery, { tenantId, id }: AutomationKey): Promise<boolean> {
      const deleted = await query(`delete from "${schema}".automations where tenant_id = $1 and id = $2 returning id`, [
        tenantId,
        id,
      ]);
      return deleted.length > 0;
    },
  };
}

export function definitionText({ trigger, condition, steps }: AutomationDefinition): string {
  return JSON.stringify({ trigger, condition, steps });
}

function fromRow(row: AutomationRow): Automation {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    name: row.name,
    active: row.active,
    version: row.version,
    ...(JSON.parse(row.definition) as AutomationDefinition),
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}
