import { newId } from "@hookline/core";
import { type Company, companyCreated, type User, userCreated } from "../events/account-events.js";
import { announce } from "./announce.js";
import type { DeskStore } from "./desk-store.js";
import { rememberOwner } from "./people.js";

/** Companies and their users. Each creation publishes its event in its own transaction. */
export interface Accounts {
  /** Null: the name is taken. */
  createCompany(company: { readonly tenantId: string; readonly name: string }): Promise<Company | null>;
  createUser(user: NewUser): Promise<User | "name_taken" | "unknown_company">;
}

export interface NewUser {
  readonly tenantId: string;
  readonly username: string;
  readonly email: string;
  readonly companyId?: string | undefined;
}

export function createAccounts(options: DeskStore): Accounts {
  const { database, schema } = options;

  return {
    createCompany: ({ tenantId, name }) =>
      database.transaction(async (transaction) => {
        const now = new Date();
        const company: Company = { id: newId("com", now.getTime()), name, created_at: now.toISOString() };
        const created = await transaction.query(
          `INSERT INTO ${schema}.companies (id, tenant_id, name, created_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT (tenant_id, name) DO NOTHING RETURNING id`,
          [company.id, tenantId, name, now],
        );
        if (created.length === 0) return null;
        await announce(options, transaction, { tenantId, as: [companyCreated], data: company, subject: company.id });
        return company;
      }),

    createUser: ({ tenantId, username, email, companyId }) =>
      database.transaction(async (transaction) => {
        if (companyId !== undefined) {
          const [company] = await transaction.query(
            `SELECT id FROM ${schema}.companies WHERE tenant_id = $1 AND id = $2`,
            [tenantId, companyId],
          );
          if (company === undefined) return "unknown_company";
        }
        const now = new Date();
        const user: User = {
          id: newId("usr", now.getTime()),
          username,
          email,
          ...(companyId === undefined ? {} : { company_id: companyId }),
          created_at: now.toISOString(),
        };
        const created = await transaction.query(
          `INSERT INTO ${schema}.users (id, tenant_id, username, email, company_id, created_at)
           VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, username) DO NOTHING RETURNING id`,
          [user.id, tenantId, username, email, companyId ?? null, now],
        );
        if (created.length === 0) return "name_taken";
        const owner = { identities: [{ kind: "email", value: email }] };
        await rememberOwner(options, transaction, { tenantId, subject: user.id, owner });
        await announce(options, transaction, { tenantId, as: [userCreated], data: user, subject: user.id });
        return user;
      }),
  };
}
