import { DatabaseError } from "../errors.js";
import { decodeArray } from "./decode-array.js";

/** Turns the text of one value into what a caller reads. */
export type Decoder = (text: string) => unknown;

const keepText: Decoder = (text) => text;

/** By the type's oid in pg_type; these never change between versions. */
const SCALARS: ReadonlyMap<number, Decoder> = new Map<number, Decoder>([
  [16, (text) => text === "t"],
  [17, decodeBytes],
  [20, decodeInt8],
  [21, Number],
  [23, Number],
  [26, Number],
  [114, JSON.parse],
  [700, Number],
  [701, Number],
  [1184, decodeTimestamp],
  [3802, JSON.parse],
]);

/** Array type → element type. */
const ARRAYS: ReadonlyMap<number, number> = new Map([
  [199, 114],
  [1000, 16],
  [1001, 17],
  [1002, 18],
  [1003, 19],
  [1005, 21],
  [1007, 23],
  [1009, 25],
  [1014, 1042],
  [1015, 1043],
  [1016, 20],
  [1021, 700],
  [1022, 701],
  [1028, 26],
  [1115, 1114],
  [1182, 1082],
  [1183, 1083],
  [1185, 1184],
  [1187, 1186],
  [1231, 1700],
  [2951, 2950],
  [3807, 3802],
]);

/** The types that do not stay text. */
export const DECODED_TYPES: readonly number[] = [...SCALARS.keys(), ...ARRAYS.keys()];

/** The decoder for a column's type; text stays text. */
export function decoderOf(typeOid: number): Decoder {
  const scalar = SCALARS.get(typeOid);
  if (scalar) return scalar;
  const elementOid = ARRAYS.get(typeOid);
  if (elementOid === undefined) return keepText;
  const element = SCALARS.get(elementOid) ?? keepText;
  return (text) => decodeArray(text, element);
}

function decodeBytes(text: string): Uint8Array {
  if (!text.startsWith("\\x")) {
    throw new DatabaseError("value_out_of_range", "A bytea came in escape format; set bytea_output to hex.");
  }
  const bytes = new Uint8Array((text.length - 2) / 2);
  Buffer.from(bytes.buffer).write(text.slice(2), "hex");
  return bytes;
}

function decodeInt8(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  throw new DatabaseError("value_out_of_range", "An int8 is beyond 2^53; select it as text.");
}

const TIMESTAMP =
  /^(\d{4,})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?( BC)?$/;

function decodeTimestamp(text: string): Date {
  if (text.length >= 22 && text.length <= 29 && text.endsWith("+00") && text[4] === "-") {
    const fast = new Date(`${text.slice(0, 10)}T${text.slice(11, -3).slice(0, 12)}Z`);
    if (!Number.isNaN(fast.getTime())) return fast;
  }
  const match = TIMESTAMP.exec(text);
  if (!match) {
    throw new DatabaseError(
      "value_out_of_range",
      "A timestamptz is not a point in time, or DateStyle is not ISO; select it as text.",
    );
  }
  const part = (index: number) => Number(match[index] ?? 0);
  const date = new Date(0);
  date.setUTCFullYear(match[12] ? 1 - part(1) : part(1), part(2) - 1, part(3));
  const milliseconds = Number((match[7] ?? "").padEnd(3, "0").slice(0, 3));
  const offsetSeconds = (part(9) * 3600 + part(10) * 60 + part(11)) * (match[8] === "-" ? -1 : 1);
  date.setUTCHours(part(4), part(5), part(6) - offsetSeconds, milliseconds);
  return date;
}
