import type { Migration } from "@hookline/postgres";
import { access } from "./migrations/0006-access.js";
import { confirm } from "./migrations/0007-confirm.js";
import { erasures } from "./migrations/0008-erasures.js";
import { automations } from "./migrations/0010-automations.js";
import { installations } from "./migrations/0011-installations.js";
import { executionsOfEvents } from "./migrations/0012-executions-of-events.js";
import { sharedState } from "./migrations/0013-shared-state.js";
import { sources } from "./migrations/0014-sources.js";
import { peopleElsewhere } from "./migrations/0015-people-elsewhere.js";
import { accountTokens } from "./migrations/0016-account-tokens.js";
import { releasedTokens } from "./migrations/0017-released-tokens.js";
import { grantedUntil } from "./migrations/0018-granted-until.js";
import { automationEvents, executionTimes } from "./migrations/0019-automation-events.js";
import { refusalPaths } from "./migrations/0021-refusal-paths.js";
import { mailTenants } from "./migrations/0022-mail-tenants.js";

/** The engine's tables. Forward only, each step compatible with the release before. */
export const MIGRATIONS: readonly Migration[] = [
  {
    id: "0001_contacts",
    async up(tx, schema) {
      await tx.query(`
        create table "${schema}".contacts (
          id text primary key,
          tenant_id text not null,
          properties jsonb not null default '{}',
          property_times jsonb not null default '{}',
          first_seen_at timestamptz,
          last_seen_at timestamptz,
          created_at timestamptz not null,
          updated_at timestamptz not null
        ) with (fillfactor = 85)`);
      await tx.query(`create index contacts_by_tenant on "${schema}".contacts (tenant_id, id)`);
      await tx.query(`
        create table "${schema}".contact_identities (
          tenant_id text not null,
          kind text not null,
          value text not null,
          contact_id text not null references "${schema}".contacts (id),
          created_at timestamptz not null,
          primary key (tenant_id, kind, value)
        )`);
      await tx.query(`create index contact_identities_by_contact on "${schema}".contact_identities (contact_id)`);
      await tx.query(`
        create table "${schema}".contact_aliases (
          alias_id text primary key,
          tenant_id text not null,
          contact_id text not null references "${schema}".contacts (id) on delete cascade,
          merged_at timestamptz not null
        )`);
      await tx.query(`create index contact_aliases_by_contact on "${schema}".contact_aliases (contact_id)`);
    },
  },
  {
    id: "0002_access",
    async up(tx, schema) {
      await tx.query(`
        create table "${schema}".api_keys (
          id text primary key,
          tenant_id text not null,
          name text not null,
          key_hash bytea not null unique,
          prefix text not null,
          scopes text[] not null,
          created_at timestamptz not null,
          last_used_at timestamptz,
          revoked_at timestamptz
        )`);
      await tx.query(`create index api_keys_by_tenant on "${schema}".api_keys (tenant_id, id)`);
      await tx.query(`
        create table "${schema}".derived_credentials (
          tenant_id text not null,
          provider_id text not null,
          payload text not null,
          updated_at timestamptz not null,
          primary key (tenant_id, provider_id)
        )`);
    },
  },
  {
    id: "0003_cold_connect",
    async up(tx, schema) {
      await tx.query(`
        create table "${schema}".confirm_tokens (
          id text primary key,
          token_hash bytea not null unique,
          connector_id text not null,
          tenant_id text not null,
          platform_user_id text not null,
          platform_user_name text not null,
          email text not null,
          created_at timestamptz not null,
          expires_at timestamptz not null,
          used_at timestamptz
        )`);
      await tx.query(`create index confirm_tokens_by_expiry on "${schema}".confirm_tokens (expires_at)`);
      // The columns and their order are those of rate-limiter-flexible's own table.
      await tx.query(`
        create table "${schema}".rate_limits (
          key varchar(255) primary key,
          points integer not null default 0,
          expire bigint
        )`);
      await tx.query(`create index rate_limits_by_expiry on "${schema}".rate_limits (expire)`);
      await tx.query(`
        create table "${schema}".accepted_keys (
          key_hash bytea primary key,
          expires_at timestamptz not null
        )`);
      await tx.query(`create index accepted_keys_by_expiry on "${schema}".accepted_keys (expires_at)`);
    },
  },
  {
    id: "0004_local_mails",
    async up(tx, schema) {
      await tx.query(`
        create table "${schema}".local_mails (
          id text primary key,
          recipient text not null,
          subject text not null,
          text_part text not null,
          html_part text,
          created_at timestamptz not null
        )`);
    },
  },
  {
    id: "0005_sources",
    async up(tx, schema) {
      await tx.query(`
        create table "${schema}".source_executions (
          id text primary key,
          tenant_id text not null,
          source_id text not null,
          message_id text,
          status text not null,
          error_code text,
          error_message text,
          event_ids text[] not null,
          payload bytea not null,
          received_at timestamptz not null,
          duration_ms integer not null
        )`);
      await tx.query(`create index source_executions_by_source on "${schema}".source_executions (source_id, id)`);
      await tx.query(`create index source_executions_by_tenant on "${schema}".source_executions (tenant_id, id)`);
      await tx.query(`create index source_executions_by_time on "${schema}".source_executions (received_at)`);
      await tx.query(`
        create table "${schema}".source_refusals (
          id text primary key,
          tenant_id text not null,
          source_id text not null,
          reason text not null,
          address text not null,
          refused_at timestamptz not null
        )`);
      await tx.query(`create index source_refusals_by_source on "${schema}".source_refusals (source_id, id)`);
      await tx.query(`create index source_refusals_by_tenant on "${schema}".source_refusals (tenant_id, id)`);
      await tx.query(`create index source_refusals_by_time on "${schema}".source_refusals (refused_at)`);
    },
  },
  access,
  confirm,
  erasures,
  automations,
  installations,
  executionsOfEvents,
  sharedState,
  sources,
  peopleElsewhere,
  accountTokens,
  releasedTokens,
  grantedUntil,
  automationEvents,
  executionTimes,
  refusalPaths,
  mailTenants,
];
