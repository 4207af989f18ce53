import type { Database } from "@hookline/postgres";

interface AuditedStep {
  readonly deliveryId: string;
  readonly leaseNo: number;
  readonly owner: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

/** Somebody took a delivery. */
export interface TakenLease extends AuditedStep {
  /** When it runs out. */
  readonly endsAtMs: number;
}

/** Somebody recorded an attempt. */
export interface RecordedAttempt extends AuditedStep {
  readonly outcome: string;
  readonly status: number | null;
}

/** Lets the database itself write down who took and who recorded what, and when. */
export async function auditLeases(database: Database, schema: string): Promise<void> {
  await database.query(`
    create table ${schema}.recorded
      (delivery_id text, lease_no integer, owner text, at_ms float8, outcome text, status integer);
    create table ${schema}.taken (delivery_id text, lease_no integer, owner text, at_ms float8, ends_at_ms float8);
    create function ${schema}.note_taken() returns trigger language plpgsql as $$ begin
      insert into ${schema}.taken values
        (new.id, new.lease_no, current_setting('application_name'), extract(epoch from clock_timestamp()) * 1000,
        extract(epoch from new.next_at) * 1000);
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

const STEP = `delivery_id as "deliveryId", lease_no as "leaseNo", owner, at_ms as "atMs"`;

export function takenLeases(database: Database, schema: string): Promise<readonly TakenLease[]> {
  return database.query<TakenLease>(
    `select ${STEP}, ends_at_ms as "endsAtMs" from ${schema}.taken order by delivery_id, lease_no`,
  );
}

export function recordedAttempts(database: Database, schema: string): Promise<readonly RecordedAttempt[]> {
  return database.query<RecordedAttempt>(
    `select ${STEP}, outcome, status from ${schema}.recorded order by delivery_id, lease_no`,
  );
}
