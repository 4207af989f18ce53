import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, isIPv6, type Socket } from "node:net";
import type { RequestTls } from "@hookline/core";
import { buildConnector } from "undici";
import type { AddressGuard, ResolvedAddress } from "./address-guard.js";
import { type ConnectionWatch, handOver, timeConnection, timeSocket } from "./connection-timing.js";

/** A forward proxy that every request goes through. */
export interface ProxyOptions {
  /** `http:` or `https:`, with user and password in it where it asks for them. */
  readonly url: string;
  /** Sent to the proxy with each `CONNECT`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The proxy could not be reached, or did not connect. Its message, which endpoint owners read, does not say where it is. */
class ProxyFailedError extends Error {
  override readonly name = "ProxyFailedError";
  readonly code = "proxy_failed";
}

/** TLS 1.2 and verified at least, whatever the environment says. */
const SECURE = { minVersion: "TLSv1.2", rejectUnauthorized: true } as const;

/**
 * Makes the connections of one origin: to addresses that the guard judged only, also through a proxy, which is asked to
 * connect to the judged address and resolves nothing.
 */
export function createConnector(options: {
  readonly guard: AddressGuard;
  readonly timeoutMs: number;
  readonly tls: RequestTls | undefined;
  readonly proxy: ProxyOptions | null;
  /** Is told how long each connection takes. */
  readonly watch: ConnectionWatch;
}): buildConnector.connector {
  const { guard, timeoutMs, proxy, watch } = options;
  const direct = buildConnector({ ...SECURE, ...options.tls, lookup: guard.lookup, timeout: timeoutMs });
  if (proxy === null) {
    return (target, callback) => {
      const timing = timeConnection(watch, target);
      // undici answers the socket, and its types do not say so.
      timeSocket(timing, direct(target, handOver(watch, timing, callback)) as unknown as Socket);
    };
  }
  return (target, callback) => {
    const timing = timeConnection(watch, target);
    const done = handOver(watch, timing, callback);
    const port = target.port || (timing.isSecure ? "443" : "80");
    const resolving = judged(guard, target.hostname).then((addresses) => {
      timing.resolvedAtMs = performance.now();
      return addresses;
    });
    tunnelToAny(proxy, resolving, { port, timeoutMs }).then(
      (socket) => {
        timing.connectedAtMs = performance.now();
        if (!timing.isSecure) return done(null, socket);
        try {
          direct({ ...target, httpSocket: socket }, done);
        } catch (error) {
          // Of a certificate, say, that TLS cannot read: it throws before there is a socket to fail.
          socket.destroy();
          done(error as Error, null);
        }
      },
      (error: Error) => done(error, null),
    );
  };
}

/** A literal address was judged with the URL. */
function judged(guard: AddressGuard, hostname: string): Promise<readonly ResolvedAddress[]> {
  if (isIP(hostname) !== 0) return Promise.resolve([{ address: hostname, family: isIPv6(hostname) ? 6 : 4 }]);
  return new Promise((resolve, reject) => {
    guard.lookup(hostname, { all: true }, (error, addresses) => {
      if (error) reject(error);
      else resolve(addresses as unknown as readonly ResolvedAddress[]);
    });
  });
}

interface Way {
  readonly port: string;
  readonly timeoutMs: number;
}

async function tunnelToAny(
  proxy: ProxyOptions,
  resolving: Promise<readonly ResolvedAddress[]>,
  way: Way,
): Promise<Socket> {
  let last: unknown = new ProxyFailedError("There is no address to connect to.");
  for (const { address, family } of await resolving) {
    try {
      return await tunnel(proxy, `${family === 6 ? `[${address}]` : address}:${way.port}`, way.timeoutMs);
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

/** @see https://www.rfc-editor.org/rfc/rfc9110#CONNECT */
function tunnel(proxy: ProxyOptions, authority: string, timeoutMs: number): Promise<Socket> {
  const { protocol, hostname, port, username, password } = new URL(proxy.url);
  const isSecure = protocol === "https:";
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return new Promise((resolve, reject) => {
    const request = (isSecure ? httpsRequest : httpRequest)({
      method: "CONNECT",
      host: hostname.replace(/^\[|\]$/g, ""),
      port: port || (isSecure ? 443 : 80),
      path: authority,
      headers: {
        host: authority,
        ...(username === "" ? {} : { "proxy-authorization": `Basic ${Buffer.from(credentials).toString("base64")}` }),
        ...proxy.headers,
      },
      agent: false,
      timeout: timeoutMs,
      ...(isSecure ? SECURE : {}),
    });
    const fail = (message: string, cause?: unknown): void => reject(new ProxyFailedError(message, { cause }));
    request.once("connect", (response, socket: Socket) => {
      socket.setTimeout(0);
      if (response.statusCode === 200) return resolve(socket);
      socket.destroy();
      return fail(`The proxy answered ${response.statusCode}.`);
    });
    request.once("timeout", () => request.destroy(new Error("it did not answer in time")));
    request.once("error", (error) => fail("The proxy could not be reached.", error));
    request.end();
  });
}
