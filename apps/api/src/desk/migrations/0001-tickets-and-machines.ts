import type { Migration } from "@hookline/postgres";

export const ticketsAndMachines: Migration = {
  id: "0001_tickets_and_machines",
  async up(transaction, schema) {
    await transaction.query(`
        CREATE TABLE ${schema}.ticket_numbers (
          tenant_id text NOT NULL,
          year int NOT NULL,
          last int NOT NULL,
          PRIMARY KEY (tenant_id, year)
        )`);
    await transaction.query(`
        CREATE TABLE ${schema}.tickets (
          id text PRIMARY KEY,
          tenant_id text NOT NULL,
          ticket_number text NOT NULL,
          title text NOT NULL,
          description text NOT NULL,
          priority text NOT NULL CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
          status text NOT NULL DEFAULT 'new',
          created_by text NOT NULL,
          created_at timestamptz NOT NULL,
          request_key text NOT NULL,
          UNIQUE (tenant_id, ticket_number),
          UNIQUE (tenant_id, request_key)
        )`);
    await transaction.query(`
        CREATE TABLE ${schema}.machines (
          id text PRIMARY KEY,
          tenant_id text NOT NULL,
          hostname text NOT NULL,
          ip_address text NOT NULL,
          status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'approved', 'denied')),
          registered_at timestamptz NOT NULL,
          decided_by text,
          UNIQUE (tenant_id, hostname)
        )`);
  },
};
