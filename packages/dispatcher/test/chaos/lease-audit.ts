import type { Database } from "@hookline/postgres";

/** Somebody took a delivery. */
export interface TakenLease {
  readonly deliveryId: string;
  readonly leaseNo: number;
  readonly owner: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

/** Somebody recorded an attempt. */
export interface RecordedAttempt extends TakenLease {
  readonly outcome: string;
  readonly status: number | null;
}

/** Lets the database itself write down who took and who recorded what, and when. */
export async function auditLeases(database: Database, schema: string): Promise<void> {
  await database.query(`
    create table ${schema}.taken (delivery_id text, lease_no integer, owner text, at_ms float8);
    create table ${schema}.recorded (like ${schema}.taken, outcome text, status integer);
    create function ${schema}.note_taken() returns trigger language plpgsql as $$ begin
      insert into ${schema}.taken values
        (new.id, new.lease_no, current_setting('application_name'), extract(epoch from clock_timestamp()) * 1000);
      return null;
    end $$;
    create function ${schema}.note_recorded() returns trigger language plpgsql as $$ begin
      insert into ${schema}.recorded values (new.delivery_id, new.lease_no, current_setting('application_name'),
        extract(epoch from clock_timestamp()) * 1000, new.outcome, new.status);
      return null;
    end $$;
    create trigger note_inserted after insert on ${schema}.queue for each row
      when (new.leased) execute function ${schema}.note_taken();
    create trigger note_claimed after update on ${schema}.queue for each row
      when (new.lease_no <> old.lease_no) execute function ${schema}.note_taken();
    create trigger note_recorded after insert on ${schema}.attempts for each row
      execute function ${schema}.note_recorded();
  `);
}

const LEASE = `delivery_id as "deliveryId", lease_no as "leaseNo", owner, at_ms as "atMs"`;

export function takenLeases(database: Database, schema: string): Promise<readonly TakenLease[]> {
  return database.query<TakenLease>(`select ${LEASE} from ${schema}.taken order by delivery_id, lease_no`);
}

export function recordedAttempts(database: Database, schema: string): Promise<readonly RecordedAttempt[]> {
  return database.query<RecordedAttempt>(
    `select ${LEASE}, outcome, status from ${schema}.recorded order by delivery_id, lease_no`,
  );
}
