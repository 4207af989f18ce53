/** The reference app's HTTP API, as far as the loop needs it. */
export interface ApiClient {
  readonly url: string;
  get<Answer>(path: string): Promise<Answer>;
  post<Answer>(path: string, body: unknown): Promise<Answer>;
  patch<Answer>(path: string, body: unknown): Promise<Answer>;
}

export interface StoredEvent {
  readonly id: string;
  readonly type: string;
  readonly subjectId?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Contact {
  readonly id: string;
  readonly identities: readonly { readonly kind: string; readonly value: string }[];
}

export function createApiClient(options: { url: string; apiKey: string }): ApiClient {
  const { url, apiKey } = options;
  const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };

  return {
    url,
    get: async (path) => read(await fetch(url + path, { headers })),
    post: async (path, body) => read(await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) })),
    patch: async (path, body) =>
      read(await fetch(url + path, { method: "PATCH", headers, body: JSON.stringify(body) })),
  };
}

async function read<Answer>(response: Response): Promise<Answer> {
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} from ${new URL(response.url).pathname}: ${text}`);
  return JSON.parse(text) as Answer;
}
