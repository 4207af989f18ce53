import type { Context } from "hono";
import ipaddr from "ipaddr.js";
import { EngineError } from "../errors.js";

export interface RemoteAddressOptions {
  /** How many proxies of ours append to `X-Forwarded-For` before a request arrives; 0 (the default) ignores the header. */
  readonly trustProxy?: number;
  /** The address of the socket. Absent: what `@hono/node-server` says. */
  readonly socketAddress?: (context: Context) => string | undefined;
}

/**
 * Whom a request is counted for: an IPv4 address, or the /64 of an IPv6 address, since a subscriber has all of it.
 * Where nothing can be told all such requests are counted together.
 */
export function createAddressReader(options: RemoteAddressOptions): (c: Context) => string {
  const { trustProxy = 0, socketAddress = nodeServerAddress } = options;
  if (!Number.isInteger(trustProxy) || trustProxy < 0) {
    throw new EngineError("invalid_options", "trustProxy is the number of proxies: 0, 1, 2 …");
  }
  return (c) => {
    const socket = socketAddress(c) ?? "";
    if (trustProxy === 0) return networkOf(socket);
    const forwarded = (c.req.header("x-forwarded-for") ?? "").split(",").map((part) => part.trim());
    // Each proxy appends whom it heard from: the rightmost entries are ours, what stands left of them anybody can write.
    return networkOf(forwarded.at(-trustProxy) || socket);
  };
}

function nodeServerAddress(c: Context): string | undefined {
  const env = c.env as { incoming?: { socket?: { remoteAddress?: string } } } | undefined;
  return env?.incoming?.socket?.remoteAddress;
}

function networkOf(text: string): string {
  if (!ipaddr.isValid(text)) return "unknown";
  const address = ipaddr.process(text);
  if (address.kind() === "ipv4") return address.toString();
  return `${(address as ipaddr.IPv6).parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(":")}::/64`;
}
