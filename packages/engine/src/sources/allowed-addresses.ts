import ipaddr from "ipaddr.js";
import { EngineError } from "../errors.js";
import type { RemoteAddress } from "../http/remote-address.js";

type Network = readonly [RemoteAddress, number];

/** Tells whether an address is one of the allowed ones. One that can't be told is not. */
export type AllowedAddresses = (address: RemoteAddress | null) => boolean;

/**
 * Reads addresses and networks in CIDR notation. IPv4 written as IPv6 (`::ffff:192.0.2.0/120`) is IPv4.
 *
 * @throws EngineError `invalid_options` for an entry that is neither, and for an empty list
 */
export function readAllowedAddresses(entries: readonly string[]): AllowedAddresses {
  if (entries.length === 0) throw new EngineError("invalid_options", "allowedAddresses is empty: nobody could call.");
  const networks = entries.map(readNetwork);
  return (address) => address !== null && networks.some((network) => contains(network, address));
}

function contains([network, bits]: Network, address: RemoteAddress): boolean {
  return network.kind() === address.kind() && address.match(network, bits);
}

function readNetwork(entry: string): Network {
  const [text = "", bitsText, ...rest] = entry.split("/");
  const address = readAddress(text);
  if (address === null || rest.length > 0) throw malformed(entry);
  const maxBits = address.kind() === "ipv4" ? 32 : 128;
  const bits = bitsText === undefined ? maxBits : /^\d{1,3}$/.test(bitsText) ? Number(bitsText) : Number.NaN;
  if (!(bits <= maxBits)) throw malformed(entry);
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && bits >= 96) {
    return [address.toIPv4Address(), bits - 96];
  }
  return [address, bits];
}

/** Only the common spellings: to some, `010.1` is an address too, and another one to others. */
function readAddress(text: string): RemoteAddress | null {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  return ipaddr.IPv6.isValid(text) && !text.includes("%") ? ipaddr.IPv6.parse(text) : null;
}

function malformed(entry: string): EngineError {
  return new EngineError("invalid_options", `allowedAddresses: "${entry}" is neither an address nor a network.`);
}
