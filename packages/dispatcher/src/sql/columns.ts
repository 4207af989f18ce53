/**
 * How many rows travel in one statement: each column as one text, split again by Postgres. Every driver can send a
 * text, and this costs Node a quarter of what arrays of parameters do.
 */
const SEPARATOR = "\u001e";

type Cell = string | number | boolean | null | undefined;

/** One column's text. An empty or absent cell arrives as null. Texts must not hold U+001E or U+0000: {@link plainText}. */
export function packColumn<Row>(rows: readonly Row[], cell: (row: Row) => Cell): string {
  let text = "";
  for (let index = 0; index < rows.length; index += 1) {
    const value = cell(rows[index] as Row);
    if (index > 0) text += SEPARATOR;
    if (value !== null && value !== undefined) text += value;
  }
  return text;
}

/** `unnest(…) as t(…)` over packed columns; the first one is parameter `$first`. */
export function unpackColumns(columns: readonly (readonly [name: string, type: string])[], first = 1): string {
  const arrays = columns.map(([, type], index) => `string_to_array($${first + index}::text, E'\\x1e', '')::${type}[]`);
  return `unnest(${arrays.join(", ")}) with ordinality as t(${columns.map(([name]) => name).join(", ")}, position)`;
}

/** Without what a text column or a packed one cannot hold. */
export function plainText(text: string): string {
  return text.replaceAll("\u0000", "\ufffd").replaceAll(SEPARATOR, "\ufffd");
}

/** ISO 8601 with milliseconds. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
