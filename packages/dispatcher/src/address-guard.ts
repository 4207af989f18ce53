import { lookup as dnsLookup } from "node:dns/promises";
import type { LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";
import { DispatcherError } from "./errors.js";

/** Which addresses may be connected to. */
export interface AddressGuardOptions {
  /** CIDR ranges that are allowed although they are not public, such as `127.0.0.0/8` in development. */
  readonly allow?: readonly string[];
  /** Also plain `http:`. Default false. */
  readonly allowHttp?: boolean;
  /**
   * Default: the system's resolver, which Node asks in a pool of 4 threads (`UV_THREADPOOL_SIZE`) that it also uses for
   * files: names that resolve slowly delay the others.
   */
  readonly resolve?: (hostname: string) => Promise<readonly ResolvedAddress[]>;
}

export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** The target is not allowed. Its message names the host as the endpoint's owner wrote it, and no address behind it. */
export class AddressRefusedError extends Error {
  override readonly name = "AddressRefusedError";
  readonly code = "address_refused";
}

export interface AddressGuard {
  /** Judges what can be judged before a connection: protocol, credentials, literal addresses. Throws {@link AddressRefusedError}. */
  check(url: URL): void;
  /** Resolves and judges; hands only judged addresses to the socket, so nothing is looked up twice. */
  readonly lookup: LookupFunction;
}

type Range = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Stands between an endpoint's URL and the socket. */
export function createAddressGuard(options: AddressGuardOptions): AddressGuard {
  const allowed = (options.allow ?? []).map(parseRange);
  const resolve = shareLookups(options.resolve ?? systemResolve);
  return {
    check(url) {
      if (url.protocol !== "https:" && !(options.allowHttp && url.protocol === "http:")) {
        throw new AddressRefusedError(`${url.protocol}// is not allowed; the target has to be https.`);
      }
      if (url.username !== "" || url.password !== "") {
        throw new AddressRefusedError("The target's URL carries credentials.");
      }
      const literal = url.hostname.replace(/^\[|\]$/g, "");
      if (ipaddr.isValid(literal) && !isAllowed(literal, allowed)) {
        throw new AddressRefusedError(`The address ${literal} is not public.`);
      }
    },
    lookup(hostname, lookupOptions, callback) {
      judgedAddresses(hostname, resolve, allowed).then(
        (addresses) => {
          const family = lookupOptions.family;
          const wanted =
            family === 4 || family === 6 ? addresses.filter((entry) => entry.family === family) : addresses;
          const first = wanted[0];
          if (first === undefined) {
            callback(Object.assign(new Error(`${hostname} has no address.`), { code: "ENOTFOUND" }), "");
          } else if (lookupOptions.all) {
            callback(
              null,
              wanted.map((entry) => ({ ...entry })),
            );
          } else {
            callback(null, first.address, first.family);
          }
        },
        (error: Error) => callback(error, ""),
      );
    },
  };
}

async function judgedAddresses(
  hostname: string,
  resolve: Resolve,
  allowed: readonly Range[],
): Promise<readonly ResolvedAddress[]> {
  const addresses = await resolve(hostname);
  // One bad address is enough: which of them a socket takes would be left to chance.
  if (addresses.some((entry) => !isAllowed(entry.address, allowed))) {
    throw new AddressRefusedError(`${hostname} has an address that is not public.`);
  }
  return addresses;
}

/** Whether an address, and each IPv4 address that it may stand for, is public or allowed by name. */
export function isAllowed(address: string, allowed: readonly Range[]): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  const matches = (candidate: ipaddr.IPv4 | ipaddr.IPv6) =>
    allowed.some(([network, bits]) => candidate.kind() === network.kind() && candidate.match(network, bits));
  if (parsed.kind() === "ipv4") return matches(parsed) || parsed.range() === "unicast";
  const ipv6 = parsed as ipaddr.IPv6;
  if (matches(ipv6)) return true;
  const embedded = embeddedIpv4(ipv6);
  if (embedded.length > 0) {
    return embedded.every((candidate) => matches(candidate) || candidate.range() === "unicast");
  }
  return ipv6.range() === "unicast" && globalUnicast(ipv6);
}

/** Global unicast is 2000::/3; the rest is reserved, whatever the library calls it. */
function globalUnicast(address: ipaddr.IPv6): boolean {
  return ((address.parts[0] ?? 0) & 0xe000) === 0x2000;
}

/** The IPv4 addresses that a packet to an IPv6 address may end at. */
function embeddedIpv4(address: ipaddr.IPv6): readonly ipaddr.IPv4[] {
  const parts = address.parts;
  const at = (index: number, mask = 0): ipaddr.IPv4 => {
    const high = (parts[index] ?? 0) ^ mask;
    const low = (parts[index + 1] ?? 0) ^ mask;
    return new ipaddr.IPv4([high >> 8, high & 0xff, low >> 8, low & 0xff]);
  };
  switch (address.range()) {
    case "ipv4Mapped":
    case "rfc6145":
      return [at(6)];
    case "rfc6052":
      // 64:ff9b:1::/48 is for a network's own translators: where they lead cannot be told from here.
      return parts[2] === 0 ? [at(6)] : [new ipaddr.IPv4([127, 0, 0, 1])];
    case "6to4":
      return [at(1)];
    case "teredo":
      return [at(2), at(6, 0xffff)];
    default:
      break;
  }
  const isIsatap = parts[5] === 0x5efe && ((parts[4] ?? 0) & 0xfdff) === 0;
  if (isIsatap) return [at(6)];
  const isCompatible = parts.slice(0, 6).every((part) => part === 0) && (parts[6] ?? 0) !== 0;
  return isCompatible ? [at(6)] : [];
}

function parseRange(cidr: string): Range {
  try {
    return ipaddr.parseCIDR(cidr);
  } catch (cause) {
    throw new DispatcherError(
      "invalid_options",
      `createDispatcher: addressGuard.allow: "${cidr}" is not a CIDR range.`,
      {
        cause,
        issues: [{ path: "addressGuard.allow", message: `"${cidr}" is not a CIDR range` }],
      },
    );
  }
}

type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>;

/** Connections that are made to one name at the same time wait for the same look-up; the next ones ask again. */
function shareLookups(resolve: Resolve): Resolve {
  const underWay = new Map<string, Promise<readonly ResolvedAddress[]>>();
  return (hostname) => {
    const known = underWay.get(hostname);
    if (known !== undefined) return known;
    const started = resolve(hostname).finally(() => underWay.delete(hostname));
    underWay.set(hostname, started);
    return started;
  };
}

async function systemResolve(hostname: string): Promise<readonly ResolvedAddress[]> {
  const entries = await dnsLookup(hostname, { all: true });
  return entries.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
}
