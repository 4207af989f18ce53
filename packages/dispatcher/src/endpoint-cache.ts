import type { SqlQuery } from "@hookline/core";
import type { EndpointCodec, OpenEndpoint } from "./endpoint-codec.js";
import type { Statements } from "./sql/statements.js";

export interface EndpointCache {
  /** The endpoint in that version or a later one; null when it is gone. */
  get(id: string, version: number): OpenEndpoint | Promise<OpenEndpoint | null>;
  /** In any version; undefined when it has to be loaded. */
  peek(id: string): OpenEndpoint | undefined;
  forget(id: string): void;
}

const MAX_ENTRIES = 10_000;

/**
 * Endpoints with their secrets decrypted. Claiming and publishing say which version they saw, so a change made
 * anywhere counts from the next claim on.
 */
export function createEndpointCache(options: {
  readonly query: SqlQuery;
  readonly statements: Statements;
  readonly codec: EndpointCodec;
}): EndpointCache {
  const entries = new Map<string, OpenEndpoint>();
  const loading = new Map<string, Promise<OpenEndpoint | null>>();

  const load = async (id: string): Promise<OpenEndpoint | null> => {
    const [row] = await options.statements.loadEndpoint(options.query, id);
    entries.delete(id);
    if (row === undefined) return null;
    const endpoint = options.codec.open(row);
    entries.set(id, endpoint);
    const oldest = entries.size > MAX_ENTRIES ? entries.keys().next().value : undefined;
    if (oldest !== undefined) entries.delete(oldest);
    return endpoint;
  };

  const loadOnce = async (id: string, version: number): Promise<OpenEndpoint | null> => {
    const underWay = loading.get(id);
    if (underWay !== undefined) {
      const loaded = await underWay;
      // That one may have been read before the change that made this version.
      if (loaded === null || loaded.version >= version) return loaded;
    }
    const started = load(id).finally(() => {
      if (loading.get(id) === started) loading.delete(id);
    });
    loading.set(id, started);
    return started;
  };

  return {
    get(id, version) {
      const known = entries.get(id);
      return known !== undefined && known.version >= version ? known : loadOnce(id, version);
    },
    peek: (id) => entries.get(id),
    forget(id) {
      entries.delete(id);
    },
  };
}
