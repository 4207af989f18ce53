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

export interface Connector {
  readonly connect: buildConnector.connector;
  /** Ends the connections that are being made: nobody waits for them any more. */
  end(): void;
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
}): Connector {
  const { guard, timeoutMs, proxy, watch } = options;
  const making = new Set<() => void>();
  const direct = buildConnector({ ...SECURE, ...options.tls, lookup: guard.lookup, timeout: timeoutMs });
  const end = () => {
    for (const each of making) each();
  };
  /** It can be ended until it calls back. */
  const connectDirectly = (target: buildConnector.Options, callback: buildConnector.Callback): Socket => {
    const endThis = () => void socket.destroy(new Error("Nobody waits for this connection any more."));
    // undici answers the socket, and its types do not say so.
    const socket = direct(target, (...outcome) => {
      making.delete(endThis);
      callback(...outcome);
    }) as unknown as Socket;
    making.add(endThis);
    return socket;
  };
  if (proxy === null) {
    const connect: buildConnector.connector = (target, callback) => {
      const timing = timeConnection(watch, target);
      timeSocket(timing, connectDirectly(target, handOver(watch, timing, callback)));
    };
    return { connect, end };
  }
  const connect: buildConnector.connector = (target, callback) => {
    const timing = timeConnection(watch, target);
    const done = handOver(watch, timing, callback);
    const port = target.port || (timing.isSecure ? "443" : "80");
    const resolving = judged(guard, target.hostname).then((addresses) => {
      timing.resolvedAtMs = performance.now();
      return addresses;
    });
    tunnelToAny(proxy, resolving, { port, timeoutMs, making }).then(
      (socket) => {
        timing.connectedAtMs = performance.now();
        if (!timing.isSecure) return done(null, socket);
        try {
          connectDirectly({ ...target, httpSocket: socket }, done);
        } catch (error) {
          // Of a certificate, say, that TLS cannot read: it throws before there is a socket to fail.
          socket.destroy();
          done(error as Error, null);
        }
      },
      (error: Error) => done(error, null),
    );
  };
  return { connect, end };
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
  /** For all addresses together. */
  readonly timeoutMs: number;
  /** What ends it belongs in there for as long as it is being made. */
  readonly making: Set<() => void>;
}

async function tunnelToAny(
  proxy: ProxyOptions,
  resolving: Promise<readonly ResolvedAddress[]>,
  way: Way,
): Promise<Socket> {
  let last: unknown = new ProxyFailedError("There is no address to connect to.");
  const limit = new AbortController();
  const end = () => limit.abort(new Error("it did not answer in time"));
  const timer = setTimeout(end, way.timeoutMs);
  way.making.add(end);
  try {
    for (const { address, family } of await resolving) {
      if (limit.signal.aborted) break;
      try {
        return await tunnel(proxy, `${family === 6 ? `[${address}]` : address}:${way.port}`, limit.signal);
      } catch (error) {
        last = error;
      }
    }
    throw last;
  } finally {
    clearTimeout(timer);
    way.making.delete(end);
  }
}

/** @see https://www.rfc-editor.org/rfc/rfc9110#CONNECT */
function tunnel(proxy: ProxyOptions, authority: string, limit: AbortSignal): Promise<Socket> {
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
      ...(isSecure ? SECURE : {}),
    });
    const fail = (message: string, cause?: unknown): void => {
      limit.removeEventListener("abort", end);
      reject(new ProxyFailedError(message, { cause }));
    };
    const end = () => request.destroy(limit.reason as Error);
    limit.addEventListener("abort", end);
    request.once("connect", (response, socket: Socket) => {
      limit.removeEventListener("abort", end);
      if (response.statusCode === 200) return resolve(socket);
      socket.destroy();
      return fail(`The proxy answered ${response.statusCode}.`);
    });
    request.once("error", (error) => fail("The proxy could not be reached.", error));
    request.end();
  });
}
