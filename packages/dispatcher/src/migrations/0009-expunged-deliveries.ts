import type { Migration } from "@hookline/postgres";

/** True: the payload was expunged while a worker had the delivery, so that what it is answered is not kept. */
export const expungedDeliveries: Migration = {
  id: "0009_expunged_deliveries",
  async up(tx, schema) {
    await tx.query(`alter table "${schema}".queue add column expunged boolean`);
  },
};
