/** The part of a node-postgres pool that Hookline uses, so that its types are not needed to read ours. */
export interface PgPool {
  connect(): Promise<PgClient>;
}

/** The part of a node-postgres client that Hookline uses. */
export interface PgClient {
  // biome-ignore lint/suspicious/noExplicitAny: pg's own overloads answer any
  query(config: any): Promise<any>;
  release(destroy?: Error | boolean): void;
  // biome-ignore lint/suspicious/noExplicitAny: an event emitter's listener
  on(event: string, listener: (...values: any[]) => void): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: an event emitter's listener
  removeListener(event: string, listener: (...values: any[]) => void): unknown;
}
