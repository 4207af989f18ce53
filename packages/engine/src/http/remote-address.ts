import type { Context } from "hono";
import ipaddr from "ipaddr.js";
import { EngineError } from "../errors.js";

export interface RemoteAddressOptions {
  /** How many proxies of ours append to `X-Forwarded-For` before a request arrives; 0 (the default) ignores the header. */
  readonly trustProxy?: number;
  /** The address of the socket. Absent: what `@hono/node-server` says. */
  readonly socketAddress?: (context: Context) => string | undefined;
}

export type RemoteAddress = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * The address that a request came from, IPv4 written as IPv6 told as IPv4; null where nothing can be told.
 *
 * @throws EngineError `invalid_options`
 */
export function createRemoteAddress(options: RemoteAddressOptions): (c: Context) => RemoteAddress | null {
  const { trustProxy = 0, socketAddress = nodeServerAddress } = options;
  if (!Number.isInteger(trustProxy) || trustProxy < 0) {
    throw new EngineError("invalid_options", "trustProxy is the number of proxies: 0, 1, 2 …");
  }
  return (c) => {
    const socket = socketAddress(c) ?? "";
    if (trustProxy === 0) return parse(socket);
    const forwarded = (c.req.header("x-forwarded-for") ?? "").split(",").map((part) => part.trim());
    // Each proxy appends whom it heard from: the rightmost entries are ours, what stands left of them anybody can write.
    return parse(forwarded.at(-trustProxy) || socket);
  };
}

/**
 * Whom a request is counted for: an IPv4 address, or the /64 of an IPv6 address, since a subscriber has all of it.
 * Where nothing can be told all such requests are counted together.
 */
export function createAddressReader(options: RemoteAddressOptions): (c: Context) => string {
  const remoteAddress = createRemoteAddress(options);
  return (c) => networkOf(remoteAddress(c));
}

function nodeServerAddress(c: Context): string | undefined {
  const env = c.env as { incoming?: { socket?: { remoteAddress?: string } } } | undefined;
  return env?.incoming?.socket?.remoteAddress;
}

function parse(text: string): RemoteAddress | null {
  return ipaddr.isValid(text) ? ipaddr.process(text) : null;
}

function networkOf(address: RemoteAddress | null): string {
  if (address === null) return "unknown";
  if (address.kind() === "ipv4") return address.toString();
  return `${(address as ipaddr.IPv6).parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(":")}::/64`;
}
