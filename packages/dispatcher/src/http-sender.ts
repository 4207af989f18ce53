import type { DestinationRequest } from "@hookline/core";
import type { AddressGuard } from "./address-guard.js";
import type { Ending } from "./attempt-end.js";
import { Exchange, failure, type SendResult, timedOut } from "./exchange.js";
import type { OriginPools } from "./origin-pools.js";

export interface HttpSender {
  /** Sends one request. Never rejects; `ending` ends connect, headers and body alike. */
  send(request: DestinationRequest, ending: Ending): Promise<SendResult>;
}

/**
 * Sends without following redirects, and reads no more of an answer than `maxResponseBytes`, counted both as it comes
 * and after decompression.
 */
export function createHttpSender(options: {
  readonly guard: AddressGuard;
  readonly pools: OriginPools;
  readonly maxResponseBytes: number;
}): HttpSender {
  const { guard, pools, maxResponseBytes } = options;
  const places = createPlaces(guard);
  return {
    send(request, ending) {
      let place: Place;
      try {
        place = places(request.url);
      } catch (error) {
        return Promise.resolve(failure(error, null));
      }
      if (ending.aborted) return Promise.resolve(timedOut(null));
      const { pool, watch, release } = pools.acquire(place.origin, request.tls);
      return new Promise<SendResult>((resolve) => {
        const expire = (): void => exchange.expire();
        const exchange = new Exchange({ maxBytes: maxResponseBytes, watch }, (result) => {
          ending.removeEventListener("abort", expire);
          release();
          resolve(result);
        });
        ending.addEventListener("abort", expire);
        watch.waiting = exchange.timing;
        try {
          pool.dispatch(
            {
              path: place.path,
              method: request.method,
              headers: request.headers,
              body: request.body,
            },
            exchange,
          );
        } catch (error) {
          exchange.fail(error);
        } finally {
          watch.waiting = null;
        }
      });
    },
  };
}

interface Place {
  readonly origin: string;
  readonly path: string;
}

const MAX_PLACES = 1_000;

/** Where a URL leads, judged as far as that can be without a look-up; what was judged before is remembered. */
function createPlaces(guard: AddressGuard): (url: string) => Place {
  const places = new Map<string, Place>();
  return (text) => {
    const known = places.get(text);
    if (known !== undefined) return known;
    const url = new URL(text);
    guard.check(url);
    const place = { origin: url.origin, path: url.pathname + url.search };
    if (places.size >= MAX_PLACES) places.clear();
    places.set(text, place);
    return place;
  };
}
