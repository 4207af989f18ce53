import { describe, expect, it } from "vitest";
import { type AddressGuardOptions, createAddressGuard } from "../src/address-guard.js";

const REFUSED = {
  loopback: ["127.0.0.1", "127.255.255.254", "::1"],
  private: ["10.0.0.1", "172.16.0.1", "192.168.1.1", "fc00::1", "fd12:3456::1"],
  "link-local and metadata": ["169.254.169.254", "fe80::1", "fd00:ec2::254"],
  "carrier-grade NAT": ["100.64.0.1", "100.100.100.200"],
  "unspecified and broadcast": ["0.0.0.0", "0.1.2.3", "::", "255.255.255.255"],
  "cloud providers' own": [
    "168.63.129.16",
    "::ffff:168.63.129.16",
    "64:ff9b::168.63.129.16",
    "161.26.0.10",
    "166.9.1.1",
  ],
  multicast: ["224.0.0.1", "239.255.255.250", "ff02::1"],
  reserved: ["240.0.0.1", "192.0.2.1", "198.18.0.1", "203.0.113.7", "2001:db8::1", "100::1", "5f00::1", "4000::1"],
  "IPv4-mapped": ["::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"],
  "IPv4-compatible": ["::127.0.0.1", "::10.0.0.1"],
  "IPv4-translated": ["::ffff:0:127.0.0.1"],
  NAT64: ["64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "64:ff9b:1::8.8.8.8"],
  "6to4": ["2002:7f00:1::1", "2002:a00:1::", "2002:a9fe:a9fe::1"],
  // The server's address, and the client's with all its bits turned.
  Teredo: ["2001:0:7f00:1::1", "2001:0:808:808:0:0:80ff:fffe"],
  ISATAP: ["2606:4700::5efe:10.0.0.1", "2606:4700::200:5efe:127.0.0.1"],
  "site-local": ["fec0::1"],
} as const;

const PUBLIC = ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"];

function lookup(guard: ReturnType<typeof createAddressGuard>, all = true) {
  return new Promise((resolve, reject) => {
    guard.lookup("host.example", { all }, (error, address, family) =>
      error ? reject(error) : resolve(all ? address : { address, family }),
    );
  });
}

const resolvingTo = (...addresses: readonly string[]): AddressGuardOptions => ({
  resolve: async () => addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
});

describe("address guard", () => {
  it.each(Object.entries(REFUSED))(
    "N3 refuses %s addresses, written in the URL or behind a name",
    async (_kind, list) => {
      for (const address of list) {
        const host = address.includes(":") ? `[${address}]` : address;
        expect(() => createAddressGuard({}).check(new URL(`https://${host}/`)), address).toThrow("not public");
        await expect(lookup(createAddressGuard(resolvingTo(address))), address).rejects.toMatchObject({
          code: "address_refused",
        });
      }
    },
  );

  it.each(PUBLIC)("lets %s through", async (address) => {
    const host = address.includes(":") ? `[${address}]` : address;
    createAddressGuard({}).check(new URL(`https://${host}/`));
    expect(await lookup(createAddressGuard(resolvingTo(address)))).toMatchObject([{ address }]);
    expect(await lookup(createAddressGuard(resolvingTo(address)), false)).toMatchObject({ address });
  });

  it.each(["https://2130706433/", "https://0x7f.1/", "https://017700000001/", "https://127.1/", "https://①②⑦.0.0.1/"])(
    "N3 refuses the loopback address written as %s",
    (url) => {
      expect(() => createAddressGuard({}).check(new URL(url))).toThrow("127.0.0.1 is not public");
    },
  );

  it("N3 refuses a name when one of its addresses is not public", async () => {
    await expect(lookup(createAddressGuard(resolvingTo("1.1.1.1", "10.0.0.1")))).rejects.toMatchObject({
      code: "address_refused",
      message: "host.example has an address that is not public.",
    });
  });

  it("lets through what the allow list names, in each form, and nothing beside it", async () => {
    const allow = ["127.0.0.0/8", "fd00::/8"];
    for (const address of ["127.0.0.1", "::ffff:127.0.0.1", "fd00::1"]) {
      expect(await lookup(createAddressGuard({ allow, ...resolvingTo(address) })), address).toMatchObject([
        { address },
      ]);
    }
    await expect(lookup(createAddressGuard({ allow, ...resolvingTo("10.0.0.1") }))).rejects.toThrow("not public");
    expect(() => createAddressGuard({ allow: ["localhost"] })).toThrow("is not a CIDR range");
  });

  // RFC 6052, section 2.4: 192.0.2.33 in prefixes of each length, here with 10.0.2.33, which is private.
  it.each([
    ["2001:db8::/32", "2001:db8:a00:221::"],
    ["2001:db8:100::/40", "2001:db8:10a:2:21::"],
    ["2001:db8:122::/48", "2001:db8:122:a00:2:2100::"],
    ["2001:db8:122:300::/56", "2001:db8:122:30a:0:221::"],
    ["2001:db8:122:344::/64", "2001:db8:122:344:a:2:2100::"],
    ["2001:db8:122:344::/96", "2001:db8:122:344::10.0.2.33"],
  ])("N3 judges an address of the network's own NAT64 prefix %s by the IPv4 address in it", async (prefix, address) => {
    const network = prefix.replace("2001:db8", "2606:db8");
    const inside = address.replace("2001:db8", "2606:db8");
    expect(await lookup(createAddressGuard(resolvingTo(inside)))).toMatchObject([{ address: inside }]);
    const guard = (allow: readonly string[]) =>
      createAddressGuard({ nat64Prefixes: [network], allow, ...resolvingTo(inside) });
    await expect(lookup(guard([]))).rejects.toThrow("not public");
    expect(await lookup(guard(["10.0.2.33/32"]))).toMatchObject([{ address: inside }]);
  });

  it("N3 lets a public address through behind the network's own NAT64 prefix", async () => {
    const nat64Prefixes = ["2001:db8:64::/96"];
    const address = "2001:db8:64::1.1.1.1";
    expect(await lookup(createAddressGuard({ nat64Prefixes, ...resolvingTo(address) }))).toMatchObject([{ address }]);
  });

  it("N3 connects to the ports it may connect to only", () => {
    const guard = createAddressGuard({ ports: [443, 8443], allowHttp: true });
    for (const url of ["https://example.com/", "https://example.com:8443/"]) guard.check(new URL(url));
    for (const url of ["https://example.com:22/", "http://example.com/"]) {
      expect(() => guard.check(new URL(url))).toThrow("port");
    }
  });

  it("W8 wants https unless told otherwise, and never credentials in a URL", () => {
    expect(() => createAddressGuard({}).check(new URL("http://example.com/"))).toThrow("https");
    expect(() => createAddressGuard({ allowHttp: true }).check(new URL("ftp://example.com/"))).toThrow("https");
    expect(() => createAddressGuard({}).check(new URL("https://a:b@example.com/"))).toThrow("credentials");
    createAddressGuard({ allowHttp: true }).check(new URL("http://example.com/"));
  });
});
