import type { Outbox } from "@hookline/core";
import type { LinkContact } from "@hookline/engine";
import type { Database } from "@hookline/postgres";

/** What every part of the desk stands on. */
export interface DeskStore {
  readonly database: Database;
  /** Read it when it is needed, not before: the engine, whose it is, is made after the desk. */
  readonly outbox: Outbox;
  readonly linkContact: LinkContact;
  /** Of the desk's tables. */
  readonly schema: string;
}
