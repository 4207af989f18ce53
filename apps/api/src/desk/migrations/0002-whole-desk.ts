import type { Migration } from "@hookline/postgres";

export const wholeDesk: Migration = {
  id: "0002_whole_desk",
  async up(transaction, schema) {
    for (const statement of statements(schema)) await transaction.query(statement);
  },
};

const statements = (schema: string): readonly string[] => [
  `ALTER TABLE ${schema}.tickets
    ADD COLUMN category text,
    ADD COLUMN team text,
    ADD COLUMN assignee text,
    ADD COLUMN customer_email text,
    ADD COLUMN customer_name text,
    ADD COLUMN escalation_reason text,
    ADD COLUMN updated_by text,
    ADD COLUMN updated_at timestamptz`,

  `CREATE TABLE ${schema}.ticket_notes (
    id text PRIMARY KEY,
    ticket_id text NOT NULL REFERENCES ${schema}.tickets (id) ON DELETE CASCADE,
    author text NOT NULL,
    text text NOT NULL,
    created_at timestamptz NOT NULL
  )`,
  `CREATE INDEX ticket_notes_of_ticket ON ${schema}.ticket_notes (ticket_id, id)`,

  `CREATE TABLE ${schema}.conversation_messages (
    id text PRIMARY KEY,
    ticket_id text NOT NULL REFERENCES ${schema}.tickets (id) ON DELETE CASCADE,
    author text NOT NULL,
    sender text NOT NULL CHECK (sender IN ('customer', 'agent', 'ai')),
    message text NOT NULL,
    created_at timestamptz NOT NULL
  )`,
  `CREATE INDEX conversation_messages_of_ticket ON ${schema}.conversation_messages (ticket_id, id)`,

  `CREATE TABLE ${schema}.feedback (
    id text PRIMARY KEY,
    ticket_id text NOT NULL REFERENCES ${schema}.tickets (id) ON DELETE CASCADE,
    rating int NOT NULL CHECK (rating BETWEEN 1 AND 5),
    comment text,
    created_at timestamptz NOT NULL
  )`,

  `CREATE TABLE ${schema}.ai_responses (
    id text PRIMARY KEY,
    ticket_id text NOT NULL REFERENCES ${schema}.tickets (id) ON DELETE CASCADE,
    text text NOT NULL,
    confidence double precision NOT NULL,
    status text NOT NULL CHECK (status IN ('generated', 'requires_review', 'approved', 'rejected')),
    reviewed_by text,
    created_at timestamptz NOT NULL
  )`,

  `CREATE TABLE ${schema}.assets (
    id text PRIMARY KEY,
    tenant_id text NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'maintenance', 'retired')),
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_by text,
    updated_at timestamptz
  )`,
  `CREATE INDEX assets_of_tenant ON ${schema}.assets (tenant_id, id)`,

  `CREATE TABLE ${schema}.alerts (
    id text PRIMARY KEY,
    tenant_id text NOT NULL,
    title text NOT NULL,
    message text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    source text NOT NULL,
    triggered_at timestamptz NOT NULL
  )`,

  `CREATE TABLE ${schema}.companies (
    id text PRIMARY KEY,
    tenant_id text NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (tenant_id, name)
  )`,

  `CREATE TABLE ${schema}.users (
    id text PRIMARY KEY,
    tenant_id text NOT NULL,
    username text NOT NULL,
    email text NOT NULL,
    company_id text REFERENCES ${schema}.companies (id),
    created_at timestamptz NOT NULL,
    UNIQUE (tenant_id, username)
  )`,
];
