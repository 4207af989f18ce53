/** What stands in a packet's key. */
export interface ItemKey {
  readonly sessionId: string;
  readonly shardId: number;
  readonly seq: number;
}

/** `{sessionId}:{shard}:{seq}`, the transport's own key of a packet. */
export function toItemKey({ sessionId, shardId, seq }: ItemKey): string {
  return `${sessionId}:${shardId}:${seq}`;
}

export function parseItemKey(key: string): ItemKey {
  const seqAt = key.lastIndexOf(":");
  const shardAt = key.lastIndexOf(":", seqAt - 1);
  return {
    sessionId: key.slice(0, shardAt),
    shardId: Number(key.slice(shardAt + 1, seqAt)),
    seq: Number(key.slice(seqAt + 1)),
  };
}
