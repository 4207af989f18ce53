import type { Clock } from "@hookline/core";
import type { Packet } from "./world/model.js";

/** Trouble that a test asks for. */
export interface FaultBox {
  /** Requests and sockets are cut for so long. */
  refuseConnections(forMs: number): void;
  /** The next REST requests are answered with this. `path` limits it to paths that contain it. */
  failRequests(fault: RequestFault): void;
  /** The next REST requests are answered so much later. */
  delayRequests(fault: RequestDelay): void;
  /** The follow-up addresses of an interaction are unknown for so long after its first answer. */
  holdFollowUps(forMs: number): void;
  /** The next packets go out twice. */
  duplicatePackets(fault: PacketFault): void;
  /** The next packets go out so much later, behind those that came after them. */
  delayPackets(fault: PacketFault & { readonly forMs: number }): void;
  clear(): void;
  isRefusing(): boolean;
  /** The trouble for this request, and one less left. */
  takeFor(path: string): RequestFault | undefined;
  /** Resolves when a request may be answered. */
  waitFor(path: string): Promise<void>;
  followUpHoldMs(): number;
  /** Hands a packet on: once, twice, or later. */
  route(packet: Packet, deliver: (packet: Packet) => void): void;
}

export interface RequestFault {
  readonly count: number;
  /** 500 to 599, or 429. */
  readonly status: number;
  readonly path?: string | undefined;
  /** For 429. */
  readonly retryAfterSeconds?: number | undefined;
  readonly scope?: "user" | "global" | "shared" | undefined;
}

interface RequestDelay {
  readonly count: number;
  readonly forMs: number;
  readonly path?: string | undefined;
}

interface PacketFault {
  readonly count: number;
  /** Such as `MESSAGE_CREATE`; any when absent. */
  readonly type?: string | undefined;
}

export function createFaultBox(clock: Clock): FaultBox {
  let refusingUntilMs = 0;
  let holdMs = 0;
  const failing = createSupply<RequestFault>();
  const delayed = createSupply<RequestDelay>();
  const doubled = createSupply<PacketFault>();
  const late = createSupply<PacketFault & { readonly forMs: number }>();
  const isOn =
    (path: string) =>
    ({ path: part }: { readonly path?: string | undefined }) =>
      part === undefined || path.includes(part);
  const isOf =
    ({ t }: Packet) =>
    ({ type }: PacketFault) =>
      type === undefined || type === t;

  return {
    refuseConnections(forMs) {
      refusingUntilMs = clock.now() + forMs;
    },
    failRequests: failing.add,
    delayRequests: delayed.add,
    duplicatePackets: doubled.add,
    delayPackets: late.add,
    holdFollowUps(forMs) {
      holdMs = forMs;
    },
    clear() {
      refusingUntilMs = 0;
      holdMs = 0;
      for (const supply of [failing, delayed, doubled, late]) {
        supply.clear();
      }
    },
    isRefusing: () => clock.now() < refusingUntilMs,
    takeFor: (path) => failing.take(isOn(path)),
    waitFor(path) {
      const { forMs = 0 } = delayed.take(isOn(path)) ?? {};
      return forMs === 0 ? Promise.resolve() : new Promise((resolve) => clock.setTimer(resolve, forMs));
    },
    followUpHoldMs: () => holdMs,
    route(packet, deliver) {
      const held = late.take(isOf(packet));
      if (held) {
        clock.setTimer(() => deliver(packet), held.forMs);
        return;
      }
      deliver(packet);
      if (doubled.take(isOf(packet))) {
        deliver(packet);
      }
    },
  };
}

interface Supply<Fault> {
  add(fault: Fault): void;
  /** The first one that fits, and one less left of it. */
  take(fits: (fault: Fault) => boolean): Fault | undefined;
  clear(): void;
}

function createSupply<Fault extends { readonly count: number }>(): Supply<Fault> {
  let entries: { readonly fault: Fault; left: number }[] = [];
  return {
    add(fault) {
      entries.push({ fault, left: fault.count });
    },
    take(fits) {
      const found = entries.find(({ fault }) => fits(fault));
      if (!found) {
        return undefined;
      }
      found.left -= 1;
      entries = entries.filter(({ left }) => left > 0);
      return found.fault;
    },
    clear() {
      entries = [];
    },
  };
}
