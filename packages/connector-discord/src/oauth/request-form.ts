/** Browsers say with every form where it comes from; who says nothing is refused. */
export function isSameOrigin(request: Request, ownOrigin: string): boolean {
  const site = request.headers.get("sec-fetch-site");
  if (site !== null) return site === "same-origin";
  return request.headers.get("origin") === ownOrigin;
}

/** The texts of a form, or of a JSON object; null for JSON that is no object. */
export async function readFields(request: Request): Promise<ReadonlyMap<string, string> | null> {
  const text = await request.text();
  if (!/^application\/json\b/i.test(request.headers.get("content-type") ?? "")) {
    return new Map(new URLSearchParams(text));
  }
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== "object" || body === null) return null;
    return new Map(Object.entries(body).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
  } catch {
    return null;
  }
}
