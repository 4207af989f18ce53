import type { Transaction } from "@hookline/core";
import { CompiledQuery, type Kysely } from "kysely";

/**
 * A transaction of your own Kysely on Postgres, for whoever writes into it. (With `createKysely` of this package, hand
 * on the transaction that it stands on instead.)
 *
 * @example
 * await kysely.transaction().execute(async (trx) => {
 *   await trx.insertInto("orders").values(order).execute();
 *   await dispatcher.publish(event, { transaction: fromKyselyTransaction(trx) });
 * });
 */
export function fromKyselyTransaction<Tables>(transaction: Pick<Kysely<Tables>, "executeQuery">): Transaction {
  return {
    query: async <Row>(text: string, params: readonly unknown[] = []) =>
      (await transaction.executeQuery<Row>(CompiledQuery.raw(text, [...params]) as CompiledQuery<Row>)).rows,
  };
}
