import { lookup as dnsLookup } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";
import { DispatcherError } from "./errors.js";

/** Which addresses may be connected to. */
export interface AddressGuardOptions {
  /** CIDR ranges that are allowed although they are not public, such as `127.0.0.0/8` in development. */
  readonly allow?: readonly string[];
  /** Also plain `http:`. Default false. */
  readonly allowHttp?: boolean;
  /** The only ports that may be connected to. Default: any. */
  readonly ports?: readonly number[];
  /**
   * Prefixes of this network's own NAT64 translators, such as `2001:db8:64::/96`: an address below one of them is judged
   * by the IPv4 address that it stands for. The well-known prefix `64:ff9b::/96` always is.
   */
  readonly nat64Prefixes?: readonly string[];
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

/**
 * Addresses that count as public, but lead into a cloud provider's own network: Azure's WireServer, which hands out what
 * virtual machines are set up with, and the service networks of IBM Cloud.
 *
 * @see https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
 * @see https://cloud.ibm.com/docs/vpc?topic=vpc-service-endpoints-for-vpc
 */
const PROVIDER_NETWORKS: readonly string[] = ["168.63.129.16/32", "161.26.0.0/16", "166.8.0.0/14"];

type Range = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Stands between an endpoint's URL and the socket. */
export function createAddressGuard(options: AddressGuardOptions): AddressGuard {
  const { ports } = options;
  const allowed = (options.allow ?? []).map((cidr) => parseRange("allow", cidr));
  const translators = (options.nat64Prefixes ?? []).map(parseTranslator);
  if (ports?.some((port) => !(Number.isInteger(port) && port >= 1 && port <= 65_535)) || ports?.length === 0) {
    throw invalidOption("ports", "are whole numbers from 1 to 65535");
  }
  const isFit = (address: string): boolean => isAllowed(address, allowed, translators);
  const resolve = shareLookups(options.resolve ?? systemResolve);
  return {
    check(url) {
      if (url.protocol !== "https:" && !(options.allowHttp && url.protocol === "http:")) {
        throw new AddressRefusedError(`${url.protocol}// is not allowed; the target has to be https.`);
      }
      if (url.username !== "" || url.password !== "") {
        throw new AddressRefusedError("The target's URL carries credentials.");
      }
      if (!isPortAllowed(url, ports)) throw new AddressRefusedError(`The port of ${url.origin} is not allowed.`);
      const literal = url.hostname.replace(/^\[|\]$/g, "");
      // A URL holds addresses in their plain form, whatever its author wrote.
      if (isIP(literal) !== 0 && !isFit(literal)) {
        throw new AddressRefusedError(`The address ${literal} is not public.`);
      }
    },
    lookup(hostname, lookupOptions, callback) {
      judgedAddresses(hostname, resolve, isFit).then(
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
  isFit: (address: string) => boolean,
): Promise<readonly ResolvedAddress[]> {
  const addresses = await resolve(hostname);
  // One bad address is enough: which of them a socket takes would be left to chance.
  if (addresses.some((entry) => !isFit(entry.address))) {
    throw new AddressRefusedError(`${hostname} has an address that is not public.`);
  }
  return addresses;
}

/** Whether an address, and each IPv4 address that it may stand for, is public or allowed by name. */
function isAllowed(address: string, allowed: readonly Range[], translators: readonly Translator[]): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  const matches = (candidate: ipaddr.IPv4 | ipaddr.IPv6) =>
    allowed.some(([network, bits]) => candidate.kind() === network.kind() && candidate.match(network, bits));
  if (parsed.kind() === "ipv4") return matches(parsed) || isPublicIpv4(parsed as ipaddr.IPv4);
  const ipv6 = parsed as ipaddr.IPv6;
  if (matches(ipv6)) return true;
  const translated = translators.filter(([prefix, bits]) => ipv6.match(prefix, bits)).map((by) => behind(ipv6, by));
  const embedded = translated.length > 0 ? translated : embeddedIpv4(ipv6);
  if (embedded.length > 0) {
    return embedded.every((candidate) => matches(candidate) || isPublicIpv4(candidate));
  }
  return ipv6.range() === "unicast" && globalUnicast(ipv6);
}

function isPublicIpv4(address: ipaddr.IPv4): boolean {
  const isWithin = (cidr: string) => address.match(ipaddr.IPv4.parseCIDR(cidr));
  return address.range() === "unicast" && !PROVIDER_NETWORKS.some(isWithin);
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

/** Whether a URL's port is one of those that may be connected to; undefined allows any. */
export function isPortAllowed({ port, protocol }: URL, ports: readonly number[] | undefined): boolean {
  return ports === undefined || ports.includes(port === "" ? (protocol === "http:" ? 80 : 443) : Number(port));
}

type Translator = readonly [prefix: ipaddr.IPv6, bits: number];

/** The IPv4 address within an address of a translator: right behind the prefix, past the byte that is always 0. */
function behind(address: ipaddr.IPv6, [, bits]: Translator): ipaddr.IPv4 {
  const bytes = address.toByteArray();
  const places = Array.from({ length: 8 }, (_, index) => bits / 8 + index).filter((place) => place !== 8);
  return new ipaddr.IPv4(places.slice(0, 4).map((place) => bytes[place] ?? 0));
}

/** @see https://www.rfc-editor.org/rfc/rfc6052#section-2.2 */
const TRANSLATOR_BITS: readonly number[] = [32, 40, 48, 56, 64, 96];

function parseTranslator(cidr: string): Translator {
  const [prefix, bits] = parseRange("nat64Prefixes", cidr);
  if (prefix.kind() !== "ipv6" || !TRANSLATOR_BITS.includes(bits)) {
    throw invalidOption("nat64Prefixes", `are IPv6 ranges of ${TRANSLATOR_BITS.join(", ")} bits`);
  }
  return [prefix as ipaddr.IPv6, bits];
}

function parseRange(option: string, cidr: string): Range {
  try {
    return ipaddr.parseCIDR(cidr);
  } catch (cause) {
    throw invalidOption(option, `"${cidr}" is not a CIDR range`, cause);
  }
}

function invalidOption(option: string, message: string, cause?: unknown): DispatcherError {
  const path = `addressGuard.${option}`;
  return new DispatcherError("invalid_options", `createDispatcher: ${path}: ${message}.`, {
    cause,
    issues: [{ path, message }],
  });
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
