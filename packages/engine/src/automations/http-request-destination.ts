import { type Destination, defineDestination } from "@hookline/core";

export const HTTP_REQUEST_DESTINATION_ID = "http-request";

interface HttpRequestTarget {
  readonly url: string;
  readonly method: "POST" | "PUT" | "PATCH" | "DELETE";
  readonly headers: Readonly<Record<string, string>>;
}

/** Sends a body as JSON to any address that the dispatcher's guard allows; a text goes out as it is. */
export function httpRequestDestination(): Destination {
  return defineDestination<HttpRequestTarget>({
    id: HTTP_REQUEST_DESTINATION_ID,
    plan({ data }, { endpoint: { target } }) {
      const headers = Object.fromEntries(
        Object.entries(target.headers).map(([name, value]) => [name.toLowerCase(), value]),
      );
      const isText = typeof data === "string";
      return {
        kind: "request",
        request: {
          method: target.method,
          url: target.url,
          headers: { "content-type": isText ? "text/plain; charset=utf-8" : "application/json", ...headers },
          body: isText ? data : JSON.stringify(data),
        },
      };
    },
  }) as Destination;
}
