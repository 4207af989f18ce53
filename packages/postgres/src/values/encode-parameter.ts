import { DatabaseError } from "../errors.js";

/** A parameter as it goes over the wire: text, or bytes for bytea. */
export type EncodedParameter = string | Uint8Array | null;

/** Turns parameters into wire values, the same for both adapters. */
export function encodeParameters(params: readonly unknown[]): EncodedParameter[] {
  const encoded = new Array<EncodedParameter>(params.length);
  for (let index = 0; index < params.length; index++) encoded[index] = encodeParameter(params[index], index);
  return encoded;
}

function encodeParameter(value: unknown, index: number): EncodedParameter {
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return encodeArray(value, index);
  return encodeScalar(value, index);
}

function encodeScalar(value: unknown, index: number): string | null {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
    case "bigint":
      return String(value);
    case "boolean":
      return value ? "true" : "false";
    case "undefined":
      return null;
    case "object":
      if (value === null) return null;
      if (value instanceof Date) return encodeDate(value, index);
      if (value instanceof Uint8Array)
        return `\\x${Buffer.from(value.buffer, value.byteOffset, value.length).toString("hex")}`;
  }
  throw invalid(index, `a ${typeof value} is not a parameter; pass JSON as text (JSON.stringify)`);
}

function encodeDate(date: Date, index: number): string {
  if (Number.isNaN(date.getTime())) throw invalid(index, "the Date is invalid");
  const year = date.getUTCFullYear();
  if (year < 1) return `${date.toISOString().replace(/^-?\d+/, String(1 - year).padStart(4, "0"))} BC`;
  return date.toISOString().replace(/^\+0*/, "");
}

function encodeArray(values: readonly unknown[], index: number): string {
  const parts = new Array<string>(values.length);
  for (let position = 0; position < values.length; position++) {
    const value = values[position];
    if (Array.isArray(value)) {
      parts[position] = encodeArray(value, index);
      continue;
    }
    const text = encodeScalar(value, index);
    parts[position] = text === null ? "NULL" : typeof value === "number" ? text : quote(text);
  }
  return `{${parts.join(",")}}`;
}

function quote(text: string): string {
  return text.includes('"') || text.includes("\\") ? `"${text.replace(/["\\]/g, "\\$&")}"` : `"${text}"`;
}

function invalid(index: number, reason: string): DatabaseError {
  return new DatabaseError("invalid_parameter", `Parameter $${index + 1}: ${reason}.`);
}
