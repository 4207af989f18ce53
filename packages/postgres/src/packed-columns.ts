const SEPARATOR = "\u001e";

type Cell = string | number | boolean | null | undefined;

/**
 * One column of many rows as a single text parameter, which {@link unpackColumns} splits again. Every driver can send a
 * text, and this costs Node a quarter of what arrays of parameters do.
 *
 * An empty or absent cell arrives as null. Texts must not hold U+001E or U+0000; those of `JSON.stringify` never do.
 *
 * @example
 * await database.query(`insert into points (id, x) select id, x from ${unpackColumns([["id", "text"], ["x", "int8"]])}`, [
 *   packColumn(points, (point) => point.id),
 *   packColumn(points, (point) => point.x),
 * ]);
 */
export function packColumn<Row>(rows: readonly Row[], cell: (row: Row) => Cell): string {
  let text = "";
  for (let index = 0; index < rows.length; index += 1) {
    const value = cell(rows[index] as Row);
    if (index > 0) text += SEPARATOR;
    if (value !== null && value !== undefined) text += value;
  }
  return text;
}

/**
 * SQL for a table `t` with these columns, read from packed ones of which the first is parameter `$first`; its further
 * column `position` counts from 1.
 */
export function unpackColumns(columns: readonly (readonly [name: string, type: string])[], first = 1): string {
  const arrays = columns.map(([, type], index) => `string_to_array($${first + index}::text, E'\\x1e', '')::${type}[]`);
  return `unnest(${arrays.join(", ")}) with ordinality as t(${columns.map(([name]) => name).join(", ")}, position)`;
}
