import type { Packet } from "./model.js";

/** Tells everybody who listens what happened in the world: the Gateway, the page. */
export interface PacketBus {
  publish(packet: Packet): void;
  subscribe(listener: (packet: Packet) => void): () => void;
}

export function createPacketBus(): PacketBus {
  const listeners = new Set<(packet: Packet) => void>();
  return {
    publish(packet) {
      for (const listener of [...listeners]) {
        listener(packet);
      }
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
