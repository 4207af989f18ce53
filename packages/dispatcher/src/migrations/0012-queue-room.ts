import type { Migration } from "@hookline/postgres";

/** Some 150 pages of them. */
const ROWS = 600;
const ROW_CHARACTERS = 1_900;

/**
 * The queue is empty at times, and Postgres may plan a statement just then, keep the plan, and read the whole table with
 * it when there is much in it. By pages of its own, which a vacuum leaves, a table that is empty looks too large for that.
 */
export const queueRoom: Migration = {
  id: "0012_queue_room",
  async up(tx, schema) {
    await tx.query(`alter table "${schema}".queue set (vacuum_truncate = false)`);
    await tx.query(
      `insert into "${schema}".queue (id, tenant_id, state, leased, lease_no, next_at)
       select 'room ' || number, repeat(' ', ${ROW_CHARACTERS}), 0, true, 0, 'infinity'
       from generate_series(1, ${ROWS}) as number`,
    );
    await tx.query(
      `delete from "${schema}".queue where id like 'room %' and tenant_id = repeat(' ', ${ROW_CHARACTERS})`,
    );
  },
};
