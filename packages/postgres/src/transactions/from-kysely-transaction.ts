import type { Transaction } from "@hookline/core";
import { CompiledQuery, type Transaction as KyselyTransaction } from "kysely";
import { notATransaction } from "./not-a-transaction.js";

/**
 * A transaction of your own Kysely on Postgres, for whoever writes into it. (With `createKysely` of this package, hand
 * on the transaction that it stands on instead.)
 *
 * @throws DatabaseError `not_a_transaction`
 *
 * @example
 * await kysely.transaction().execute(async (trx) => {
 *   await trx.insertInto("orders").values(order).execute();
 *   await dispatcher.publish(event, { transaction: fromKyselyTransaction(trx) });
 * });
 */
export function fromKyselyTransaction<Tables>(
  transaction: Pick<KyselyTransaction<Tables>, "executeQuery" | "isTransaction">,
): Transaction {
  if (transaction?.isTransaction !== true) {
    throw notATransaction(
      "fromKyselyTransaction",
      "the `trx` that `kysely.transaction().execute(async (trx) => …)` hands over",
    );
  }
  return {
    query: async <Row>(text: string, params: readonly unknown[] = []) =>
      (await transaction.executeQuery<Row>(CompiledQuery.raw(text, [...params]) as CompiledQuery<Row>)).rows,
  };
}
