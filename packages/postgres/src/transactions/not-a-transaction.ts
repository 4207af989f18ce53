import { DatabaseError } from "../errors.js";

/** What stands beside a driver's transaction was handed over in its place: what it writes, a rollback would leave there. */
export function notATransaction(adapter: string, wanted: string): DatabaseError {
  return new DatabaseError("not_a_transaction", `${adapter} takes ${wanted}: what is written must end with it.`);
}
