import type { Packet } from "./model.js";

/** Tells everybody who listens what happened in the world: the Gateway, the page. */
export interface PacketBus {
  publish(packet: Packet): void;
  subscribe(listener: (packet: Packet) => void): () => void;
  /** Says that something changed which no packet tells of. */
  changed(): void;
  /** Calls back after packets and other changes alike. */
  onChange(listener: () => void): () => void;
}

export function createPacketBus(): PacketBus {
  const listeners = new Set<(packet: Packet) => void>();
  const changeListeners = new Set<() => void>();

  function changed(): void {
    for (const listener of [...changeListeners]) {
      listener();
    }
  }

  return {
    publish(packet) {
      for (const listener of [...listeners]) {
        listener(packet);
      }
      changed();
    },
    changed,
    onChange(listener) {
      changeListeners.add(listener);
      return () => {
        changeListeners.delete(listener);
      };
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
