import { newId, type Outbox, type Transaction } from "@hookline/core";
import type { Database } from "@hookline/postgres";
import { type Machine, machineApproved, machineDenied, machineRegistered } from "../events/machine-events.js";

export interface Machines {
  /** Registers a machine as pending and publishes `machine.registered`. A known host name answers the machine as it is. */
  register(request: { tenantId: string; hostname: string; ipAddress: string }): Promise<Machine>;
  /** Decides on a pending machine and publishes the decision; one that was decided before is answered as it is. */
  decide(request: DecideMachine): Promise<{ readonly machine: Machine; readonly changed: boolean } | null>;
  get(tenantId: string, id: string): Promise<Machine | null>;
}

export interface DecideMachine {
  readonly tenantId: string;
  readonly id: string;
  readonly decision: "approved" | "denied";
  readonly decidedBy: string;
}

interface MachineRow {
  readonly id: string;
  readonly hostname: string;
  readonly ip_address: string;
  readonly status: Machine["status"];
  readonly registered_at: Date;
  readonly decided_by: string | null;
}

const COLUMNS = "id, hostname, ip_address, status, registered_at, decided_by";
const DECIDED = { approved: machineApproved.type, denied: machineDenied.type } as const;

export function createMachines(options: { database: Database; outbox: Outbox; schema: string }): Machines {
  const { database, schema } = options;

  return {
    register: (request) =>
      database.transaction(async (transaction) => {
        const now = new Date();
        const [created] = await transaction.query<MachineRow>(
          `INSERT INTO ${schema}.machines (id, tenant_id, hostname, ip_address, registered_at) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (tenant_id, hostname) DO NOTHING RETURNING ${COLUMNS}`,
          [newId("mac", now.getTime()), request.tenantId, request.hostname, request.ipAddress, now],
        );
        if (created) return await announce(transaction, request.tenantId, [machineRegistered.type, created]);
        const [known] = await transaction.query<MachineRow>(
          `SELECT ${COLUMNS} FROM ${schema}.machines WHERE tenant_id = $1 AND hostname = $2`,
          [request.tenantId, request.hostname],
        );
        if (!known) throw new Error(`Machine ${request.hostname} vanished while it was read.`);
        return fromRow(known);
      }),

    decide: (request) =>
      database.transaction(async (transaction) => {
        const [decided] = await transaction.query<MachineRow>(
          `UPDATE ${schema}.machines SET status = $3, decided_by = $4
           WHERE tenant_id = $1 AND id = $2 AND status = 'pending' RETURNING ${COLUMNS}`,
          [request.tenantId, request.id, request.decision, request.decidedBy],
        );
        if (decided) {
          const machine = await announce(transaction, request.tenantId, [DECIDED[request.decision], decided]);
          return { machine, changed: true };
        }
        const machine = await read(transaction.query, request.tenantId, request.id);
        return machine && { machine, changed: false };
      }),

    get: (tenantId, id) => read(database.query, tenantId, id),
  };

  async function announce(transaction: Transaction, tenantId: string, [type, row]: [string, MachineRow]) {
    const machine = fromRow(row);
    await options.outbox.publish({ tenantId, type, data: machine, orderingKey: machine.asset_id }, { transaction });
    return machine;
  }

  async function read(query: Database["query"], tenantId: string, id: string): Promise<Machine | null> {
    const [row] = await query<MachineRow>(
      `SELECT ${COLUMNS} FROM ${schema}.machines WHERE tenant_id = $1 AND id = $2`,
      [tenantId, id],
    );
    return row ? fromRow(row) : null;
  }
}

function fromRow({ id, registered_at, decided_by, ...row }: MachineRow): Machine {
  return {
    asset_id: id,
    ...row,
    registered_at: registered_at.toISOString(),
    ...(decided_by === null ? {} : { decided_by }),
  };
}
