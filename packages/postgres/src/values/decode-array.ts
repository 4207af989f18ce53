/** Reads Postgres's array text such as `{1,NULL,"a\"b",{2,3}}`; a prefix of bounds (`[0:1]=`) is skipped. */
export function decodeArray(text: string, decodeElement: (text: string) => unknown): unknown[] {
  let at = text.startsWith("[") ? text.indexOf("=") + 1 : 0;
  return readArray();

  function readArray(): unknown[] {
    const values: unknown[] = [];
    at++;
    while (at < text.length) {
      const character = text[at];
      if (character === "}") {
        at++;
        break;
      }
      if (character === ",") at++;
      else if (character === "{") values.push(readArray());
      else if (character === '"') values.push(decodeElement(readQuoted()));
      else values.push(readBare());
    }
    return values;
  }

  function readQuoted(): string {
    at++;
    let value = "";
    let from = at;
    while (text[at] !== '"') {
      if (text[at] === "\\") {
        value += text.slice(from, at);
        at++;
        from = at;
      }
      at++;
    }
    value += text.slice(from, at);
    at++;
    return value;
  }

  function readBare(): unknown {
    const from = at;
    while (text[at] !== "," && text[at] !== "}") at++;
    const value = text.slice(from, at);
    return value === "NULL" ? null : decodeElement(value);
  }
}
