import type { Identity, Transaction } from "@hookline/core";

/** A person, by everything that it is known by. */
export interface Person {
  readonly tenantId: string;
  readonly contactId: string;
  /** Ids of contacts that were merged into it. */
  readonly aliases: readonly string[];
  readonly identities: readonly Identity[];
  /** The contact's, such as `discord.username`: what a part of the app may have written down as a name. */
  readonly properties: Readonly<Record<string, unknown>>;
}

/** A part of the app that keeps data about people in tables of its own. */
export interface PersonalDataHolder {
  /** Under which an export shows what it holds, such as `desk`. */
  readonly name: string;
  /** What it holds of the person, as JSON. */
  export(person: Person): Promise<unknown>;
  /**
   * Takes it out, in the transaction that removes the contact. Its events need no care: those whose `subjectId` is the
   * contact lose their payloads afterwards.
   */
  erase(person: Person, options: { readonly transaction: Transaction }): Promise<void>;
}
