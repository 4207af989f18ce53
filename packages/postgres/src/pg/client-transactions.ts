import type { Transaction } from "@hookline/core";
import { notATransaction } from "../transactions/not-a-transaction.js";
import { createClientRunner } from "./pg-session.js";
import type { PgClient } from "./pool-face.js";
import { createPreparedNames } from "./prepared-names.js";

/** A client of node-postgres, and not the pool that it is of. */
type TransactionClient = Pick<PgClient, "query"> & { readonly totalCount?: never };

/**
 * Turns a node-postgres client on which you began a transaction into what `publish` takes. What comes again and again is
 * kept prepared on its connection, which halves what a publication costs the server. Behind a pooler that cannot do so,
 * pass a function that runs `client.query(text, params)` instead: here a transaction fails before nothing is prepared any
 * more. Make one for all your clients.
 *
 * What it answers throws DatabaseError `not_a_transaction` for a pool.
 *
 * @example
 * const transactionOn = createClientTransactions();
 * await client.query("begin");
 * await dispatcher.publish(event, { transaction: transactionOn(client) });
 * await client.query("commit");
 */
export function createClientTransactions(): (client: TransactionClient) => Transaction {
  const names = createPreparedNames();
  return (client) => {
    if (typeof client?.query !== "function" || client.totalCount !== undefined) {
      throw notATransaction("createClientTransactions()", "a client on which you began a transaction, not its pool");
    }
    const run = createClientRunner(client);
    return {
      query: async <Row>(text: string, params: readonly unknown[] = []) => {
        try {
          const { rows } = await run({ text, params, name: params.length === 0 ? undefined : names.nameOf(text) });
          return rows as readonly Row[];
        } catch (error) {
          names.heed(error);
          throw error;
        }
      },
    };
  };
}
